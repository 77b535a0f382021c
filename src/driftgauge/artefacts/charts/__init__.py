"""What the Helm charts take from the code: the schema of their values, and the table of them."""

from driftgauge.artefacts.charts.schema import configuration_schema
from driftgauge.artefacts.charts.values import documented, schema_text, undocumented, values_table

__all__ = ["configuration_schema", "documented", "schema_text", "undocumented", "values_table"]
