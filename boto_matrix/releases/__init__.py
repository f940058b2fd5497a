"""The releases that exist, and which of them a cell is to have installed."""
