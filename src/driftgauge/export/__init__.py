"""What a data directory gives away: kept records for retraining, and what it holds at all."""

from driftgauge.export.inspection import Inspection, TableSize, inspected
from driftgauge.export.records import Kept, Wanted
from driftgauge.export.writing import ExportFormat, write

__all__ = ["ExportFormat", "Inspection", "Kept", "TableSize", "Wanted", "inspected", "write"]
