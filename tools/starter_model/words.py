"""Words that labels, packages and posters are set in."""


def _split(*lines: str) -> tuple[str, ...]:
    return tuple(word for line in lines for word in line.split())


WORDS = _split(
    "delivery parcel warehouse fragile handle with care this side up express standard weight net gross order",
    "number customer invoice article batch serial expiry best before made in keep cool dry storage recycled",
    "paper box pallet priority return sender recipient street road city harbour station platform departure",
    "arrival gate seat row class ticket admission concert museum festival summer winter market coffee organic",
    "fresh milk tea chocolate crunchy natural spring water juice orange apple berry honey oat flour sugar",
    "salt energy protein fibre carbohydrate fat saturated vitamin calcium daily value serving per ingredients",
    "contains may allergens warning caution do not please scan here to open the door join network menu",
    "download app pay online visit our shop and win new edition volume chapter library index catalogue system",
    "service manual quick start guide safety power supply input output battery charger cable wireless adapter",
    "model type rated voltage frequency hertz watt assembled tested quality",
)

LINKS = (
    "https://example.org/",
    "https://www.example.com/menu?",
    "http://example.net/t/",
    "WIFI:T:WPA;S:guest;P:",
    "BEGIN:VCARD N:",
    "MATMSG:TO:office@example.org;",
    "geo:52.5,13.4?q=",
    "https://shop.example/p/",
)

CHINESE = _split(
    "快递单号 收件人 寄件人 北京市 上海市 广州市 电话 地址 仓库 易碎品 小心轻放 向上 净重 生产日期 保质期",
    "配料 营养成分表 能量 蛋白质 脂肪 碳水化合物 请扫码 微信支付 支付宝 欢迎光临 新品上市 特价 优惠 会员 积分",
    "茶 咖啡 牛奶 面包 有机 天然 夏日音乐节 展览 图书馆 检票口 车次 座位 二等座 登机牌 发票 订单 说明书 安全",
    "质量 合格证",
)
