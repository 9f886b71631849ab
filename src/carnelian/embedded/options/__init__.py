"""What an engine is made with: keywords, the directives behind them, where its files are."""
