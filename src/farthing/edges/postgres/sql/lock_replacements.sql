-- Batches with replacements take turns in an account and mode, before they read or put anything: of two that would close a circle
-- together neither could see the other's.
SELECT pg_advisory_xact_lock(hashtextextended(format('replacements of %s %s', current_account(), current_mode()), 0))
