"""Names by which columns of texts, labels and splits are known, in lower case."""

import unicodedata
from collections.abc import Sequence

import polars as pl

TEXT_NAMES = (
    "text", "texts", "review", "reviews", "sentence", "content", "body", "message", "comment", "comments",
    "tweet", "document", "doc", "description", "article", "story", "post", "question", "query", "utterance",
    "phrase", "abstract", "headline", "title", "summary", "sms", "email", "news", "input",
    "texte", "contenu", "commentaire", "avis",  # French
    "beschreibung", "nachricht", "kommentar", "inhalt", "satz",  # German
    "texto", "comentario", "mensaje", "descripción", "descripcion", "reseña", "contenido",  # Spanish
    "comentário", "mensagem", "descrição", "descricao", "testo", "commento", "recensione", "descrizione",  # pt, it
    "tekst", "bericht", "beschrijving", "opis", "treść", "metin", "yorum",  # nl, pl, tr
    "текст", "сообщение", "отзыв", "комментарий", "описание",  # Russian
    "文本", "内容", "评论", "句子", "描述", "テキスト", "本文", "レビュー", "텍스트", "내용", "리뷰", "نص",
)  # fmt: skip
SUBJECT_NAMES = ("subject", "betreff", "title", "titel", "headline", "summary", "objet", "asunto", "oggetto")
LABEL_NAMES = (
    "label", "labels", "class", "classes", "category", "categories", "target", "sentiment", "topic", "topics",
    "intent", "intents", "tag", "tags", "y", "polarity", "emotion", "emotions", "genre", "rating", "stars",
    "score", "spam", "output",
    "catégorie", "categorie", "classe", "étiquette", "etiquette",  # French
    "kategorie", "klasse", "etikett", "stimmung",  # German
    "categoría", "categoria", "clase", "etiqueta", "sentimiento", "sentimento", "rótulo", "etichetta",  # es, pt, it
    "categorieën", "kategoria", "kategori", "etiket",  # nl, pl, sv, tr
    "категория", "класс", "метка", "тональность",  # Russian
    "标签", "类别", "分类", "情感", "ラベル", "カテゴリ", "カテゴリー", "分類", "라벨", "카테고리", "분류", "فئة",
)  # fmt: skip
SPLIT_COLUMNS = ("split", "set", "subset", "partition")
OTHER_NAMES = ("id", "index", "idx", "date", "author", "user", "url", "source", "name", "group")
#: Lower-case names that make the first line of a file a header.
HEADER_NAMES = frozenset((*TEXT_NAMES, *LABEL_NAMES, *SPLIT_COLUMNS, *OTHER_NAMES))


def by_name(frame: pl.DataFrame, names: Sequence[str], taken: set[str]) -> str | None:
    """Return the column that has the first of the names, ignoring case, and is not taken; None without any."""
    lowered: dict[str, str] = {}
    for column in frame.columns:
        if column not in taken:
            lowered.setdefault(unicodedata.normalize("NFC", column).strip().casefold(), column)
    return next((lowered[name] for name in names if name in lowered), None)
