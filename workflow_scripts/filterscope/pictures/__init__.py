"""The pictures room: what filters look for, by optimised pictures and by covering parts of photographs."""
