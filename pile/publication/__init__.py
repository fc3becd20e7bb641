"""What lies beside a corpus's files so that strangers can use, check and judge it."""
