"""What the corpus is made of: one file a source, each turning raw upstream files into documents."""
