"""How do files come in by themselves: dropped into the inbox, or asked for over the network?

``inbox`` takes what lies there, ``fetch`` asks one address, ``body`` judges what came back, ``health`` remembers how
each feed does, ``silence`` says what follows when one stays silent, ``rounds`` goes through all feeds, ``turn`` sees to
it that one at a time does so.
"""
