"""The configuration file: YAML text to the typed tree, every fault with its file, line and path.

`load` reads a file, `faults` judges a finished tree by the rules that span several settings,
`format_config` writes a tree as a file again. Durations, sizes, ratios and addresses are read by
the same functions wherever a user writes one, on the command line too.
"""

from driftgauge.config_file.addresses import Address, TcpAddress, UnixAddress, parse_address
from driftgauge.config_file.alert_words import WORDS, chosen_word, default_cohort
from driftgauge.config_file.fault import Fault
from driftgauge.config_file.loading import load
from driftgauge.config_file.rendered import format_config
from driftgauge.config_file.rules import faults
from driftgauge.config_file.scalars import (
    duration_text,
    parse_duration,
    parse_ratio,
    parse_size,
    ratio_text,
    size_text,
)

__all__ = [
    "WORDS",
    "Address",
    "Fault",
    "TcpAddress",
    "UnixAddress",
    "chosen_word",
    "default_cohort",
    "duration_text",
    "faults",
    "format_config",
    "load",
    "parse_address",
    "parse_duration",
    "parse_ratio",
    "parse_size",
    "ratio_text",
    "size_text",
]
