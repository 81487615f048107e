"""The top-level domains by which X recognises a link that was written without `https://`.

Two letters are countries; the longer ones are those in use that a post may plausibly name. A link written with its
scheme is counted as one whatever it ends in, so a name missing here costs at most a few characters of the count.
"""

from __future__ import annotations

COUNTRIES = frozenset(  # words in lines are easier to compare with the published list
    """
    ac ad ae af ag ai al am an ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz
    ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et eu fi fj fk fm fo fr
    ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp
    ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt
    mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw
    sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tp tr tt tv tw tz
    ua ug uk um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
    """.split()  # noqa: SIM905
)

GENERIC = frozenset(
    """
    abbott abc academy accountant accountants actor adult aero africa agency airbus airforce allstate amex amsterdam
    analytics android apartments app apple aquarelle arab archi army arpa art arte asia associates attorney auction audi
    audible audio author auto autos aws axa azure baby baidu band bank bar barcelona barclaycard barclays bargains
    baseball basketball bayern bbc bbva beauty beer bentley berlin best bet bible bid bike bing bingo bio biz black
    blackfriday blog bloomberg blue bmw bnpparibas boats boehringer bond boo book booking bosch boston bot boutique box
    bradesco bridgestone broadway broker brother brussels build builders business buy buzz bzh cab cafe cal call cam
    camera camp canon capetown capital car cards care career careers cars casa case cash casino cat catering catholic
    cba center ceo cern cfd chanel channel charity chase chat cheap christmas chrome church cisco citadel citi citic
    city claims cleaning click clinic clothing cloud club coach codes coffee college cologne com community company
    compare computer condos construction consulting contact contractors cooking cool coop corsica country coupon coupons
    courses cpa credit creditcard creditunion cricket crown cruise cruises cuisinella cymru cyou dad dance data date
    dating day deal dealer deals degree delivery dell deloitte delta democrat dental dentist desi design dev dhl
    diamonds diet digital direct directory discount discover dish diy dnp docs doctor dog domains download drive dubai
    durban earth eat eco edeka edu education email emerck energy engineer engineering enterprises epson equipment erni
    esq estate eurovision eus events exchange expert exposed express extraspace fage fail faith family fan fans farm
    farmers fashion fast fedex feedback ferrari film final finance financial fire firestone firmdale fish fishing fit
    fitness flickr flights florist flowers fly foo food football ford forex forsale forum foundation fox free fresenius
    frl frogans fujitsu fun fund furniture futbol gal gallery game games garden gay gdn gent ggee gift gifts gives
    giving glass gle global globo gmail gmbh gmx godaddy gold golf goo goog google gop got gov grainger graphics gratis
    green gripe grocery group guardian gucci guide guitars guru hair hamburg haus health healthcare help helsinki here
    hermes hiphop hitachi hiv hockey holdings holiday homes honda horse hospital host hosting hot hotels hotmail house
    how hsbc hyundai ibm icu ikano immo immobilien inc industries infiniti info ing ink institute insurance insure int
    international investments ipiranga irish ismaili istanbul itau jaguar java jcb jetzt jewelry jobs joburg jpmorgan
    juegos kaufen kddi kerryhotels kfh kia kids kim kitchen kiwi koeln komatsu kosher kpmg krd kred kuokgroup kyoto
    lacaixa lamborghini lamer lancaster land landrover lanxess lat latino latrobe law lawyer lds lease leclerc legal
    lego lexus lgbt lidl life lifeinsurance lifestyle lighting like limited limo lincoln link lipsy live living llc llp
    loan loans locker locus lol london lotte lotto love lpl ltd ltda lundbeck luxe luxury madrid maif maison makeup man
    management mango map market marketing markets marriott mba mckinsey med media meet melbourne meme memorial men menu
    miami microsoft mil mini mit mitsubishi mlb mls mma mobi mobile moda moe moi mom monash money monster mormon
    mortgage moscow moto motorcycles mov movie museum music nab nagoya name natura navy nba nec net netbank netflix
    network neustar new news next nextdirect nexus nfl ngo nhk nico nike nikon ninja nissan nissay nokia norton now
    nowruz nra nrw ntt nyc obi observer office okinawa olayan oldnavy one ong onl online ooo open oracle orange org
    organic origins osaka otsuka ovh page panasonic paris partners parts party pay pet pfizer pharmacy phd philips phone
    photo photography photos physio pics pictet pictures pid pin ping pink pioneer pizza place play playstation plumbing
    plus pohl poker politie porn post press prime pro prod productions prof progressive promo properties property
    protection prudential pub pwc quebec quest racing radio read realestate realtor realty recipes red redstone
    redumbrella rehab reise reisen reit reliance ren rent rentals repair report republican rest restaurant review
    reviews rexroth rich ricoh rio rip rocks rodeo rogers room rsvp rugby ruhr run rwe ryukyu saarland safe safety sale
    salon samsclub samsung sandvik sanofi sap sarl sas save saxo sbi sca scb schaeffler schmidt scholarships school
    schule schwarz science scot search seat secure security seek select sener services seven sew sex sexy sfr sharp
    shell shia shoes shop shopping show silk sina singles site ski skin sky skype smart smile sncf soccer social
    softbank software sohu solar solutions song sony soy spa space sport spot srl stada star statebank statefarm
    stockholm storage store stream studio study style sucks supplies supply support surf surgery suzuki swatch swiss
    sydney systems tab taipei talk taobao target tatamotors tatar tattoo tax taxi team tech technology tel temasek
    tennis teva theater theatre tickets tienda tips tires tirol today tokyo tools top toray toshiba total tours town
    toyota toys trade trading training travel travelers trust tube tui tunes tushu ubs unicom university uno uol ups
    vacations vana vegas ventures verisign versicherung vet viajes video vig viking villas vin vip virgin visa vision
    viva vlaanderen vodka volkswagen volvo vote voting voto voyage wales walmart walter wang watch watches weather
    webcam weber website wed wedding weibo weir whoswho wien wiki williamhill win windows wine winners wme wolterskluwer
    woodside work works world wow wtf xbox xerox xihuan xin xxx xyz yachts yahoo yamaxun yandex yodobashi yoga yokohama
    you youtube zappos zara zip zone zuerich
    """.split()  # noqa: SIM905
)
