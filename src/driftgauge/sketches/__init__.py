"""What is kept of records: linear sketches, each a vector of counts beside one of sums."""
