"""The times, numbers, colours, cities and other small word lists of the demo grammar."""

from demo.lexicon import THINGS, Noun, rows


def _pick(words: str) -> tuple[Noun, ...]:
    return tuple(THINGS[word] for word in words.split())


PAST = rows("""
yesterday         | 昨天       | 昨日         | gestern
last week         | 上周       | 先週         | letzte Woche
last month        | 上个月     | 先月         | letzten Monat
last night        | 昨晚       | 昨夜         | gestern Abend
last Monday       | 上个星期一 | 先週の月曜日 | letzten Montag
last Friday       | 上个星期五 | 先週の金曜日 | letzten Freitag
""")

FUTURE = rows("""
tomorrow          | 明天       | 明日         | morgen
next week         | 下周       | 来週         | nächste Woche
next month        | 下个月     | 来月         | nächsten Monat
tonight           | 今晚       | 今夜         | heute Abend
next Tuesday      | 下个星期二 | 来週の火曜日 | nächsten Dienstag
next Sunday       | 下个星期天 | 来週の日曜日 | nächsten Sonntag
""")

HABIT = rows("""
every day         | 每天       | 毎日         | jeden Tag
every morning     | 每天早上   | 毎朝         | jeden Morgen
every evening     | 每天晚上   | 毎晩         | jeden Abend
every week        | 每周       | 毎週         | jede Woche
every Sunday      | 每个星期天 | 毎週日曜日   | jeden Sonntag
""")

WEEKDAYS = rows("""
Monday    | 星期一 | 月曜日 | Montag
Tuesday   | 星期二 | 火曜日 | Dienstag
Wednesday | 星期三 | 水曜日 | Mittwoch
Thursday  | 星期四 | 木曜日 | Donnerstag
Friday    | 星期五 | 金曜日 | Freitag
Saturday  | 星期六 | 土曜日 | Samstag
Sunday    | 星期天 | 日曜日 | Sonntag
""")

HOURS = rows("""
one    | 一   | 一   | ein
two    | 两   | 二   | zwei
three  | 三   | 三   | drei
four   | 四   | 四   | vier
five   | 五   | 五   | fünf
six    | 六   | 六   | sechs
seven  | 七   | 七   | sieben
eight  | 八   | 八   | acht
nine   | 九   | 九   | neun
ten    | 十   | 十   | zehn
eleven | 十一 | 十一 | elf
twelve | 十二 | 十二 | zwölf
""")

NUMBERS = HOURS[1:10]

COUNTED = rows("""
apples   | 个 | 苹果 | りんご   | 個 | Äpfel
eggs     | 个 | 鸡蛋 | 卵       | 個 | Eier
books    | 本 | 书   | 本       | 冊 | Bücher
bottles  | 个 | 瓶子 | 瓶       | 本 | Flaschen
cups     | 个 | 杯子 | カップ   | 個 | Tassen
oranges  | 个 | 橙子 | オレンジ | 個 | Orangen
candles  | 根 | 蜡烛 | ろうそく | 本 | Kerzen
pencils  | 支 | 铅笔 | 鉛筆     | 本 | Bleistifte
coins    | 枚 | 硬币 | コイン   | 枚 | Münzen
photos   | 张 | 照片 | 写真     | 枚 | Fotos
roses    | 朵 | 玫瑰 | バラ     | 本 | Rosen
""")

COLOURS = rows("""
red    | 红色 | 赤い     | rot
blue   | 蓝色 | 青い     | blau
green  | 绿色 | 緑の     | grün
black  | 黑色 | 黒い     | schwarz
white  | 白色 | 白い     | weiß
yellow | 黄色 | 黄色い   | gelb
brown  | 棕色 | 茶色い   | braun
gray   | 灰色 | 灰色の   | grau
""")

SIDES = rows("""
under       | 下面 | 下   | unter
behind      | 后面 | 後ろ | hinter
next to     | 旁边 | 横   | neben
in front of | 前面 | 前   | vor
""")

CITIES = rows("""
Berlin   | 柏林   | ベルリン   | Berlin
Paris    | 巴黎   | パリ       | Paris
London   | 伦敦   | ロンドン   | London
Tokyo    | 东京   | 東京       | Tokio
Beijing  | 北京   | 北京       | Peking
Shanghai | 上海   | 上海       | Schanghai
Rome     | 罗马   | ローマ     | Rom
Vienna   | 维也纳 | ウィーン   | Wien
Madrid   | 马德里 | マドリード | Madrid
Munich   | 慕尼黑 | ミュンヘン | München
Hamburg  | 汉堡   | ハンブルク | Hamburg
""")

WEATHER = rows("""
rain     | 下雨 | 雨が降る | regnen
snow     | 下雪 | 雪が降る | schneien
be sunny | 放晴 | 晴れる   | sonnig sein
be windy | 刮风 | 風が吹く | windig sein
""")

DEPARTING = rows("""
train | 火车     | 列車   | der Zug      | fährt
bus   | 公共汽车 | バス   | der Bus      | fährt
plane | 飞机     | 飛行機 | das Flugzeug | fliegt
ship  | 轮船     | 船     | das Schiff   | fährt
""")

DEPARTURE_DAYS = [
    ("today", "今天", "今日", "heute"),
    ("tomorrow", "明天", "明日", "morgen"),
    *((f"on {en}", zh, f"{ja}の", f"am {de}") for en, zh, ja, de in WEEKDAYS),
]

MEANS = rows("""
by bus     | 坐公共汽车 | バスで     | mit dem Bus
by train   | 坐火车     | 列車で     | mit dem Zug
by taxi    | 坐出租车   | タクシーで | mit dem Taxi
by bicycle | 骑自行车   | 自転車で   | mit dem Fahrrad
""")

COMPARED = rows("""
older         | 更古老 | 古いです       | älter
bigger        | 更大   | 大きいです     | größer
smaller       | 更小   | 小さいです     | kleiner
more famous   | 更有名 | 有名です       | berühmter
more beautiful | 更漂亮 | きれいです    | schöner
""")

TASTES = rows("""
cold    | 冷   | 冷たすぎる | kalt
hot     | 热   | 熱すぎる   | heiß
""")

FAULTS = rows("""
small     | 小 | 小さすぎる | klein
expensive | 贵 | 高すぎる   | teuer
heavy     | 重 | 重すぎる   | schwer
old       | 旧 | 古すぎる   | alt
""")

LANDMARKS = _pick("table chair bed sofa door car window box")
LYING = _pick("suitcase umbrella camera guitar ring map jacket shirt blanket key wallet lamp box")
PETS = _pick("cat dog bird")
SERVED = _pick("tea coffee milk water soup wine")
SOLD = _pick("lamp suitcase clock mirror chair guitar bicycle car radio machine table")
SIGHTS = _pick("museum castle temple factory hospital school hotel tower bridge house")
HANDED = _pick("key map ticket letter camera umbrella ring phone wallet report guitar lamp")
MEETING_POINTS = _pick("hotel museum school hospital castle factory temple house")
