"""The demo: a filled shop and months of made-up visits, which can be taken away again.

``catalogue`` and ``shelf`` are its products, ``plan`` says what happens when;
``people`` and ``others`` ask for ``pages``, ``traffic`` makes events of that, and
``filling`` counts them.
"""
