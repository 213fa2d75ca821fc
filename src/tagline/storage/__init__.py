"""Files and folders that appear whole, flushed to the disk, and the locks of the processes that write them."""
