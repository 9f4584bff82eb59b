"""Names, addresses and documents of people who do not exist.

Identity numbers begin with 99, which is no province: they have a right check digit and can belong to nobody.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from shared_models.values.numbers import ResidentId

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文单仇查解区翟覃乐纪盖朴缪"
)
DOUBLE_SURNAMES = ("欧阳", "司马", "诸葛", "上官", "尉迟")
GIVEN_FIRST = "国建文志晓小玉秀桂春海永明德金红丽淑雪思佳俊宏庆立振新世家子雨梓浩宇欣天成光兴学"
GIVEN_SECOND = "华强军平英兰芳梅霞敏静伟勇杰涛明超燕玲峰辉斌鹏飞龙凤云莲珍琴宁博涵轩怡悦然林安民生福贵祥"
STREETS = (
    "铁人大道", "玉苑路", "昌盛路", "文化路", "南环路", "北环路", "新市中街", "石油路", "建设路",
    "和平路", "广场东路", "广场西路", "祁连路",
    "疏勒路", "花海路", "赤金路", "团结路", "幸福巷", "光明巷", "民主街",
)  # fmt: skip
ORGANISATIONS = (
    "油田分公司第{n}采油厂", "炼化总厂{n}车间", "市第{n}中学", "市第{n}小学", "人民医院{n}分院",
    "商业银行{n}支行", "热力公司{n}站", "运输公司{n}队",
    "宾馆{n}号店", "建筑安装公司{n}处",
)  # fmt: skip
NUMERALS = "一二三四五六七八九十"


def person_name(random: Random) -> str:
    """A name as the town's people have them: common surnames often, rare ones now and then."""
    if random.random() < 0.004:
        surname = random.choice(DOUBLE_SURNAMES)
    else:
        # The first surnames of the list are the common ones: the smaller of two draws falls there more often.
        surname = SURNAMES[min(random.randrange(len(SURNAMES)), random.randrange(len(SURNAMES)))]
    given = random.choice(GIVEN_SECOND)
    if random.random() < 0.82:
        given = random.choice(GIVEN_FIRST) + given
    return surname + given


def organisation_name(number: int) -> str:
    """The name of a group customer."""
    form = ORGANISATIONS[number % len(ORGANISATIONS)]
    return "玉门" + form.format(n=NUMERALS[number // len(ORGANISATIONS) % len(NUMERALS)])


def identity_no(random: Random, serial: int) -> str:
    """An identity number nobody has: region 99, a real birthday, the right check digit, never twice in a town."""
    born = date(1945, 1, 1) + timedelta(days=random.randrange(21_000))
    return ResidentId.complete(f"99{serial // 1000 % 10_000:04d}{born:%Y%m%d}{serial % 1000:03d}")


def mobile_no(random: Random) -> str:
    """A mobile number of the form people have."""
    return f"13{random.randrange(5, 10)}0937{random.randrange(10_000):04d}"


class Address:
    """One dwelling, written as each old system writes it."""

    def __init__(self, serial: int) -> None:
        self.street = STREETS[serial % len(STREETS)]
        rest = serial // len(STREETS)
        self.house, rest = rest % 90 + 1, rest // 90
        self.entrance, rest = rest % 4 + 1, rest // 4
        self.flat = (rest % 6 + 1) * 100 + rest // 6 % 3 + 1

    def long(self) -> str:
        return f"玉门市新市区{self.street}{self.house}号楼{self.entrance}单元{self.flat}室"

    def short(self) -> str:
        return f"甘肃省酒泉市玉门市新市区{self.street}{self.house}栋{self.entrance}单元{self.flat}号"

    def dashed(self) -> str:
        return f"新市区{self.street}{self.house}-{self.entrance}-{self.flat}"
