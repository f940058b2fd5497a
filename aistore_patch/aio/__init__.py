"""The same for aiobotocore. Its modules import aiobotocore, and are imported where that is loaded already."""
