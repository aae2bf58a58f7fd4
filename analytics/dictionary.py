"""The dictionary with which batches are compressed: what most events have in common.

A batch of a quiet site holds a handful of events, too few for zlib to learn from; with
this it takes a third less. Both sides need the same bytes: whoever changes them has to
count up ``stream.VERSION``. The likeliest text comes last.
"""

DICTIONARY = b"\n".join(
    (
        b'"www.google.com","www.bing.com","en","de-de","fr-fr","es-es","en-gb",',
        b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        b"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 "
        b'Firefox/140.0",true,{}]',
        b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
        b'(KHTML, like Gecko) Version/18.5 Safari/605.1.15",true,{}]',
        b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
        b'(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",true,{}]',
        b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        b'Chrome/140.0.0.0 Safari/537.36",false,{"pk":"1"}]',
        b"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        b'Chrome/140.0.0.0 Mobile Safari/537.36",true,{"slug":"a"}]',
        b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, "
        b'like Gecko) Chrome/140.0.0.0 Safari/537.36",true,{}]',
        b'[1,"POST","/<int:pk>/","",302,0,0,"","1",true,1,"","en-us",'
        b'404,0,0,"","",false,500,',
        b'[1,"GET","/<slug:slug>/","",200,0,0,"","",false,1,"","en-us",'
        b'"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, '
        b'like Gecko) Chrome/140.0.0.0 Safari/537.36",true,{}]',
    )
)
