"""A reference from a file of records: one streaming pass, memory that doesn't follow its rows."""

from driftgauge.profile.profiler import Profile, profile
from driftgauge.profile.settings import Format, ProfileError, Roles, Settings
from driftgauge.profile.summary import summary_lines

__all__ = ["Format", "Profile", "ProfileError", "Roles", "Settings", "profile", "summary_lines"]
