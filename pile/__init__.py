"""The conductor: turns raw upstream files into a corpus, a tokenizer and token shards."""
