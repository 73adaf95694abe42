"""What every chart shares, on a page or in a report. Pure."""
