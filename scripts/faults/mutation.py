def cases(*a): return []
