"""What a build order does to the line: work overload at its stations, and how evenly models come along."""
