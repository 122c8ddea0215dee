"""The words of the demo grammar, with every inflected form that a template asks for.

Each table has one entry a line. Columns are parted by ``|``; a German noun phrase is written as
gender and noun (``m Lehrer``), with the oblique form after it where it differs
(``m Student Studenten``), with ``+`` behind the gender for the possessive (``f+ Schwester``) and
without gender where no article stands (``Anna``).
"""

from dataclasses import dataclass

_ARTICLES = {
    "m": ("der", "den", "dem"),
    "f": ("die", "die", "der"),
    "n": ("das", "das", "dem"),
    "m+": ("mein", "meinen", "meinem"),
    "f+": ("meine", "meine", "meiner"),
    "n+": ("mein", "mein", "meinem"),
}


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun phrase in the four languages; German in nominative, accusative and dative."""

    en: str
    zh: str
    ja: str
    nom: str
    acc: str
    dat: str
    gender: str
    bare: str


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb with the forms that the tenses of the templates need, and what it may act on."""

    en: str
    en_third: str
    en_past: str
    en_ing: str
    zh: str
    ja_te: str
    ja_masu: str
    ja_nai: str
    de_third: str
    de_participle: str
    de_infinitive: str
    objects: tuple[Noun, ...]
    past_only: bool
    anywhere: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A place where something happens, and the way there."""

    en_at: str
    en_to: str
    zh: str
    ja: str
    de_at: str
    de_to: str


def rows(table: str) -> list[tuple[str, ...]]:
    """The cells of a table, line by line."""
    lines = [line for line in table.strip().splitlines() if line.strip()]
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines]


def _noun(en: str, zh: str, ja: str, german: str) -> Noun:
    words = german.split()
    if words[0] not in _ARTICLES:
        return Noun(en, zh, ja, german, german, german, "", german)
    gender, noun = words[0], words[1]
    oblique = words[2] if len(words) > 2 else noun
    nom, acc, dat = _ARTICLES[gender]
    return Noun(
        en, zh, ja, f"{nom} {noun}", f"{acc} {oblique}", f"{dat} {oblique}", gender[0], noun
    )


def _nouns(table: str) -> tuple[Noun, ...]:
    return tuple(_noun(*row) for row in rows(table))


PEOPLE = _nouns("""
the teacher  | 老师   | 先生       | m Lehrer
the doctor   | 医生   | 医者       | m Arzt
the student  | 学生   | 学生       | m Student Studenten
the farmer   | 农民   | 農夫       | m Bauer Bauern
the driver   | 司机   | 運転手     | m Fahrer
the singer   | 歌手   | 歌手       | m Sänger
the waiter   | 服务员 | ウェイター | m Kellner
the writer   | 作家   | 作家       | m Schriftsteller
the nurse    | 护士   | 看護師     | f Krankenschwester
the lawyer   | 律师   | 弁護士     | m Anwalt
the engineer | 工程师 | エンジニア | m Ingenieur
the guest    | 客人   | 客         | m Gast
the child    | 孩子   | 子供       | n Kind
my sister    | 我姐姐 | 姉         | f+ Schwester
my brother   | 我弟弟 | 弟         | m+ Bruder
my mother    | 我妈妈 | 母         | f+ Mutter
my father    | 我爸爸 | 父         | m+ Vater
my neighbor  | 我邻居 | 隣の人     | m+ Nachbar Nachbarn
Anna         | 安娜   | アンナ     | Anna
Peter        | 彼得   | ピーター   | Peter
Maria        | 玛丽   | マリア     | Maria
Thomas       | 托马斯 | トーマス   | Thomas
""")

THINGS = {
    noun.en.removeprefix("the "): noun
    for noun in _nouns("""
the lamp     | 台灯   | ランプ       | f Lampe
the umbrella | 雨伞   | 傘           | m Regenschirm
the camera   | 相机   | カメラ       | f Kamera
the suitcase | 手提箱 | スーツケース | m Koffer
the clock    | 时钟   | 時計         | f Uhr
the mirror   | 镜子   | 鏡           | m Spiegel
the chair    | 椅子   | 椅子         | m Stuhl
the table    | 桌子   | 机           | m Tisch
the guitar   | 吉他   | ギター       | f Gitarre
the ring     | 戒指   | 指輪         | m Ring
the map      | 地图   | 地図         | f Karte
the bicycle  | 自行车 | 自転車       | n Fahrrad
the car      | 汽车   | 車           | n Auto
the radio    | 收音机 | ラジオ       | n Radio
the roof     | 屋顶   | 屋根         | n Dach
the machine  | 机器   | 機械         | f Maschine
the door     | 门     | ドア         | f Tür
the window   | 窗户   | 窓           | n Fenster
the box      | 盒子   | 箱           | f Kiste
the gate     | 大门   | 門           | n Tor
the kitchen  | 厨房   | 台所         | f Küche
the garage   | 车库   | 車庫         | f Garage
the classroom | 教室  | 教室         | n Klassenzimmer
the jacket   | 夹克   | ジャケット   | f Jacke
the shirt    | 衬衫   | シャツ       | n Hemd
the blanket  | 毯子   | 毛布         | f Decke
the house    | 房子   | 家           | n Haus
the bridge   | 大桥   | 橋           | f Brücke
the horse    | 马     | 馬           | n Pferd
the mountain | 高山   | 山           | m Berg
the flower   | 花     | 花           | f Blume
the tower    | 高塔   | 塔           | m Turm
the letter   | 信     | 手紙         | m Brief
the report   | 报告   | 報告書       | m Bericht
the poem     | 诗     | 詩           | n Gedicht
the story    | 故事   | 物語         | f Geschichte
the key      | 钥匙   | 鍵           | m Schlüssel
the wallet   | 钱包   | 財布         | f Brieftasche
the ticket   | 车票   | 切符         | f Fahrkarte
the phone    | 手机   | 電話         | n Handy
the museum   | 博物馆 | 博物館       | n Museum
the castle   | 城堡   | 城           | n Schloss
the temple   | 寺庙   | 寺           | m Tempel
the factory  | 工厂   | 工場         | f Fabrik
the hospital | 医院   | 病院         | n Krankenhaus
the school   | 学校   | 学校         | f Schule
the hotel    | 酒店   | ホテル       | n Hotel
the film     | 电影   | 映画         | m Film
the game     | 比赛   | 試合         | n Spiel
the bed      | 床     | ベッド       | n Bett
the sofa     | 沙发   | ソファ       | n Sofa
the cat      | 猫     | 猫           | f Katze
the dog      | 狗     | 犬           | m Hund
the bird     | 小鸟   | 鳥           | m Vogel
the room     | 房间   | 部屋         | n Zimmer
bread        | 面包   | パン         | Brot
cake         | 蛋糕   | ケーキ       | Kuchen
fish         | 鱼     | 魚           | Fisch
cheese       | 奶酪   | チーズ       | Käse
rice         | 米饭   | ご飯         | Reis
chocolate    | 巧克力 | チョコレート | Schokolade
tea          | 茶     | お茶         | Tee
coffee       | 咖啡   | コーヒー     | Kaffee
milk         | 牛奶   | 牛乳         | Milch
water        | 水     | 水           | Wasser
wine         | 葡萄酒 | ワイン       | Wein
soup         | 汤     | スープ       | Suppe
dinner       | 晚饭   | 夕食         | Abendessen
lunch        | 午饭   | 昼食         | Mittagessen
German       | 德语   | ドイツ語     | Deutsch
Chinese      | 中文   | 中国語       | Chinesisch
Japanese     | 日语   | 日本語       | Japanisch
French       | 法语   | フランス語   | Französisch
the piano    | 钢琴   | ピアノ       | Klavier
the violin   | 小提琴 | バイオリン   | Geige
football     | 足球   | サッカー     | Fußball
tennis       | 网球   | テニス       | Tennis
""")
}
"""Nouns by their English word, without its article."""

_VERBS = """
buy buys bought buying|买|買って 買い 買わ|kauft gekauft kaufen|goods|any
sell sells sold selling|出售|売って 売り 売ら|verkauft verkauft verkaufen|goods|any
repair repairs repaired repairing|修理|直して 直し 直さ|repariert repariert reparieren|tools|any
clean cleans cleaned cleaning|打扫|掃除して 掃除し 掃除し|putzt geputzt putzen|rooms|
wash washes washed washing|清洗|洗って 洗い 洗わ|wäscht gewaschen waschen|cloth|any
eat eats ate eating|吃|食べて 食べ 食べ|isst gegessen essen|food|any
drink drinks drank drinking|喝|飲んで 飲み 飲ま|trinkt getrunken trinken|drinks|any
cook cooks cooked cooking|做|作って 作り 作ら|kocht gekocht kochen|meals|any
draw draws drew drawing|画|描いて 描き 描か|zeichnet gezeichnet zeichnen|motifs|any
write writes wrote writing|写|書いて 書き 書か|schreibt geschrieben schreiben|texts|any
find finds found finding|找到|見つけて 見つけ 見つけ|findet gefunden finden|small|past any
lose loses lost losing|弄丢|なくして なくし なくさ|verliert verloren verlieren|small|past any
look_for looks_for looked_for looking_for|寻找|探して 探し 探さ|sucht gesucht suchen|small|any
open opens opened opening|打开|開けて 開け 開け|öffnet geöffnet öffnen|openings|
close closes closed closing|关上|閉めて 閉め 閉め|schließt geschlossen schließen|openings|
visit visits visited visiting|参观|見学して 見学し 見学し|besucht besucht besuchen|sights|
carry carries carried carrying|搬运|運んで 運び 運ば|trägt getragen tragen|loads|any
build builds built building|建造|建てて 建て 建て|baut gebaut bauen|buildings|
watch watches watched watching|观看|見て 見 見|sieht gesehen sehen|shows|any
learn learns learned learning|学习|勉強して 勉強し 勉強し|lernt gelernt lernen|tongues|any
play plays played playing|弹|弾いて 弾き 弾か|spielt gespielt spielen|piano|any
play plays played playing|拉|弾いて 弾き 弾か|spielt gespielt spielen|violin|any
play plays played playing|踢|して し し|spielt gespielt spielen|football|any
play plays played playing|打|して し し|spielt gespielt spielen|tennis|any
"""

_CLASSES = {
    "goods": "lamp umbrella camera suitcase clock mirror chair guitar ring bicycle car blanket",
    "tools": "camera clock car bicycle radio roof machine door window",
    "rooms": "kitchen garage classroom room",
    "cloth": "jacket shirt blanket car",
    "food": "bread cake fish cheese rice chocolate",
    "drinks": "tea coffee milk water wine",
    "meals": "soup dinner lunch",
    "motifs": "house bridge horse mountain flower tower castle bird",
    "texts": "letter report poem story",
    "small": "key ring wallet ticket phone map",
    "openings": "door window box gate suitcase",
    "sights": "museum castle temple factory hospital school",
    "loads": "chair table box suitcase mirror",
    "buildings": "house tower temple garage hotel",
    "shows": "film game",
    "tongues": "German Chinese Japanese French",
}


def _verb(row: tuple[str, ...]) -> Verb:
    english, zh, japanese, german, kind, flags = row
    en, en_third, en_past, en_ing = (form.replace("_", " ") for form in english.split())
    ja_te, ja_masu, ja_nai = japanese.split()
    de_third, de_participle, de_infinitive = german.split()
    return Verb(
        en,
        en_third,
        en_past,
        en_ing,
        zh,
        ja_te,
        ja_masu,
        ja_nai,
        de_third,
        de_participle,
        de_infinitive,
        objects=tuple(THINGS[word] for word in _CLASSES.get(kind, kind).split()),
        past_only="past" in flags,
        anywhere="any" in flags,
    )


VERBS = tuple(_verb(row) for row in rows(_VERBS))

PLACES = tuple(
    Place(*row)
    for row in rows("""
in the kitchen    | to the kitchen    | 厨房   | 台所       | in der Küche      | in die Küche
in the garden     | to the garden     | 花园   | 庭         | im Garten         | in den Garten
in the library    | to the library    | 图书馆 | 図書館     | in der Bibliothek | zur Bibliothek
at the station    | to the station    | 车站   | 駅         | am Bahnhof        | zum Bahnhof
at the market     | to the market     | 市场   | 市場       | auf dem Markt     | zum Markt
in the office     | to the office     | 办公室 | オフィス   | im Büro           | ins Büro
at the school     | to the school     | 学校   | 学校       | in der Schule     | zur Schule
in the hospital   | to the hospital   | 医院   | 病院       | im Krankenhaus    | ins Krankenhaus
in the park       | to the park       | 公园   | 公園       | im Park           | in den Park
in the hotel      | to the hotel      | 酒店   | ホテル     | im Hotel          | zum Hotel
in the restaurant | to the restaurant | 餐厅   | レストラン | im Restaurant     | ins Restaurant
in the village    | to the village    | 村庄   | 村         | im Dorf           | ins Dorf
at the airport    | to the airport    | 机场   | 空港       | am Flughafen      | zum Flughafen
at the museum     | to the museum     | 博物馆 | 博物館     | im Museum         | ins Museum
on the beach      | to the beach      | 海滩   | 海岸       | am Strand         | zum Strand
in the factory    | to the factory    | 工厂   | 工場       | in der Fabrik     | zur Fabrik
""")
)
