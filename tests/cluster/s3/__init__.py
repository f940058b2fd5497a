"""The part of S3's protocol that the cluster speaks. It knows a store, and nothing of nodes or redirects."""
