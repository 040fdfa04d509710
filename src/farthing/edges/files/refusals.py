"""Refusals of files: what cannot be opened at all, and what is wrong with a line before it is a document."""

from farthing.core.base.refusal import refusal_kind

FILE_UNREADABLE = refusal_kind(
    "file_unreadable",
    "A file could not be read, from here on or at all: it is missing, cut off, or damaged.",
    "Check the file, and ingest it again: what was read counts once.",
)
FILE_FORMAT_UNKNOWN = refusal_kind(
    "file_format_unknown", "Neither the file's name nor an option says what format it has.", "Name the format: csv, ndjson, json or parquet."
)
FILE_CHANGED = refusal_kind(
    "file_changed",
    "Reading should go on in a file that is no longer as long as what was read of it.",
    "Ingest the file from its start: what was read counts once.",
)
LINE_TOO_LONG = refusal_kind("line_too_long", "A line, or an element of an array, is longer than 1 MiB.", "Check that lines end with a line feed.")
ENCODING_MALFORMED = refusal_kind(
    "encoding_malformed", "A line has bytes that are no text in the file's encoding.", "Save the file as UTF-8, or name its encoding."
)
ENCODING_UNSUPPORTED = refusal_kind(
    "encoding_unsupported", "The encoding is not one in which a line feed is always one byte.", "Save the file as UTF-8."
)
CSV_HEADER_MISSING = refusal_kind(
    "csv_header_missing", "A CSV file has no first line that names its columns.", "Add a header, or say that there is none."
)
COLUMN_REPEATED = refusal_kind("column_repeated", "A file has two columns of the same name.", "Rename one of the two.")
CSV_QUOTE_UNCLOSED = refusal_kind(
    "csv_quote_unclosed", "A quoted field does not end within 1,000 lines.", "Close the quote; a quote inside a quoted field is written twice."
)
CSV_MALFORMED = refusal_kind(
    "csv_malformed",
    "A record is not CSV: something follows a closing quote, or a carriage return stands alone.",
    "Quote the field, and write quotes inside it twice.",
)
CSV_FIELD_COUNT = refusal_kind("csv_field_count", "A record has more or fewer fields than the header.", "Quote fields that contain the delimiter.")
COLUMN_MISSING = refusal_kind("column_missing", "The mapping names a column that the file does not have.", "Correct the mapping.")
COLUMN_IS_FLOAT = refusal_kind(
    "column_is_float",
    "A column holds binary floating-point numbers, which are not the decimals that were meant.",
    "Write it as DECIMAL, integers or text, or leave it out by a mapping.",
)
COLUMN_TYPE_UNSUPPORTED = refusal_kind(
    "column_type_unsupported", "A column's values are no text, numbers, booleans, dates or timestamps.", "Flatten it, or leave it out by a mapping."
)
MAPPING_INCOMPLETE = refusal_kind(
    "mapping_incomplete",
    "Nothing says where an event's identifier, event_name, timestamp or customer comes from.",
    "Map a column, or give a constant.",
)
MAPPING_FIELD_TWICE = refusal_kind("mapping_field_twice", "A field is filled from two places.", "Keep one of them.")
MAPPING_MALFORMED = refusal_kind("mapping_malformed", "A mapping is not TOML or JSON, or an argument is not field=column.", "Correct the mapping.")
TIME_FORMAT_MISMATCH = refusal_kind(
    "time_format_mismatch",
    "A time is not written as the mapping's timestamp.format says.",
    "Correct the value, or the format: as strptime has it, or unix, unix_ms, unix_us for numbers since 1970.",
)
WALL_CLOCK_SKIPPED = refusal_kind(
    "wall_clock_skipped",
    "A local time falls into the gap when clocks go forward, so no clock ever showed it.",
    "Correct the time, or send it with its offset.",
)
WALL_CLOCK_REPEATED = refusal_kind(
    "wall_clock_repeated", "A local time occurs twice when clocks go back, and the mapping says to refuse such.", "Send the time with its offset."
)
