"""Whether a boto3 or botocore can be used on a Python: for any release, whether it is pinned or not."""
