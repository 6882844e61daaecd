"""
Python loads this before the emulator (PYTHONPATH). MiniStack 1.4.21 stops listening for a function's log 5 ms after
the last line that came before the result: on a busy machine, lines are lost. Here it listens for a second.
"""

from ministack.core.lambda_runtime import Worker

# In seconds: for the first line, after each line, altogether.
Worker._drain_stderr_bounded.__defaults__ = (1.0, 1.0, 3.0)
