"""What the patch and its mock stand on in packages of others, and in which releases that changed."""
