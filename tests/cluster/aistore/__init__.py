"""What AIStore makes of S3's calls: it ignores much of what S3 means, and answers with success.

Read in its source of August 2026, and measured on clusters of it with `ais://` buckets. Files named in comments are
AIStore's.
"""
