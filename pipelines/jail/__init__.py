"""How is a stranger's file read without trusting what it holds?

In a child process that can do nothing else. A warden, started once with a clean environment and the readers loaded,
makes a copy of itself for each file; the copy is handed the bytes, gives up every right, and only then looks at them.
It can open no file, reach no network, start nothing, and has so much memory and time. What it says comes back through a
pipe as columns of declared types, is checked whole, and never unpickled.

The modules, in import order: ``limits`` (how much may it cost), ``kernel`` (which rights are given up), ``wire`` (what
comes back), ``reports`` and ``lines`` (what is read there), ``child`` (what runs behind the walls), ``warden`` (who
makes the copies), ``guard`` (who asks for one), ``door`` (what becomes of it).

What becomes of a file that cannot be read there:

==================  =====================================================================  =============================
what happened       reason                                                                 and then
==================  =====================================================================  =============================
memory, CPU, size   ``resource_limit``                                                     one quarantined record: the
                                                                                           whole file
a crash, garbage    ``reader_died``                                                        likewise
wall time, killed,  ``time_limit``, ``reader_killed``: the machine may be at fault         ``InputError``, no entry: it
not made ready                                                                             can be tried again
too large           ``file_size``                                                          likewise
==================  =====================================================================  =============================
"""
