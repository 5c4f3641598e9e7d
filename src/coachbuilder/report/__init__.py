"""What is written of a plan: report.html, plan.xlsx, plan.json and plain sentences. Nothing is computed here."""

from __future__ import annotations

from coachbuilder.report.document import (
    command_details,
    plan_document,
    run_details,
    versions,
    write_plan,
    write_text,
)
from coachbuilder.report.event_study import event_study_text
from coachbuilder.report.jsonable import dumps, jsonable
from coachbuilder.report.page import write_report
from coachbuilder.report.plant_answer import plant_answer_document, plant_answer_view, plant_size, plant_size_text
from coachbuilder.report.plant_trace import require_trace_writer, write_trace
from coachbuilder.report.sequence_table import check_sequence_table, write_sequence
from coachbuilder.report.sequenced_day import (
    sequence_file,
    sequenced_day_document,
    sequenced_day_file,
    sequenced_day_text,
)
from coachbuilder.report.simple_line import simple_line_document, simple_line_text
from coachbuilder.report.summary import Answer, answers, stage_summary
from coachbuilder.report.work_sheet import write_work_sheet
from coachbuilder.report.workbook import write_workbook

__all__ = [
    "Answer",
    "answers",
    "check_sequence_table",
    "command_details",
    "dumps",
    "event_study_text",
    "jsonable",
    "plan_document",
    "plant_answer_document",
    "plant_answer_view",
    "plant_size",
    "plant_size_text",
    "require_trace_writer",
    "run_details",
    "sequence_file",
    "sequenced_day_document",
    "sequenced_day_file",
    "sequenced_day_text",
    "simple_line_document",
    "simple_line_text",
    "stage_summary",
    "versions",
    "write_plan",
    "write_report",
    "write_sequence",
    "write_text",
    "write_trace",
    "write_work_sheet",
    "write_workbook",
]
