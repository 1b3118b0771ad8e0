"""What mailboxes, screening assistants, menus and people say when they take a call, as regular expressions.

They are matched against words in lower case without punctuation, one space between two. A recogniser on a telephone
line mishears, so the commonest slips stand beside the words that were said ("tong" for "tone", "won" for "one").
Lines of one block are alternatives; the names of the blocks go into the record as evidence.
"""

import re
from collections.abc import Mapping

from calls.engine.scripts import is_spaceless
from calls.enums import AnsweredBy

_NUMBER = (
    r"(?:\d|zero|oh|one|won|two|to|too|three|tree|four|for|five|six|sex|seven|eight|ate|nine|star|pound|hash|sketching)"
)

VOICEMAIL_SURE = {
    "after_the_tone": r"""
        (?:after|at|until|following|behind|here|hear) (?:the|this|that|a)(?: \w+)? (?:tone|tong|beep|beeps|bleep|signal)
        (?:sound of|wait for|you hear|hear) the (?:tone|beep|signal)
        (?:después|despues) de (?:oír )?(?:la señal|el tono|el pitido)
        après le (?:bip|signal|top)
        nach dem (?:signal\w*|ton|piep\w*|pfeifton)
        dopo il (?:segnale|bip|tono)
        (?:após|depois d)o? (?:o )?(?:sinal|bip|apito)
        na de (?:piep|toon|pieptoon)
        po (?:sygnale|usłyszeniu)
        efter (?:tonen|pipet|signalen)
        после (?:сигнала|гудка)
        発信音|ピー|提示音|嘟声|삐 소리""",
    "leave_a_message": r"""
        (?:leave|live|leaf|leaves|leaving|lead)(?: me| us)?(?: a| an| your| the| any)(?: \w+){0,2} (?:messages?|massage)
        (?:leave|live|leaf|leaves|drop)(?: me| us)?(?: your| a)(?: \w+)? (?:name|number|contact|transmission|treasure)
        (?:leave|leaf) it at
        record (?:your|a|you're|the) (?:message|massage|name after)
        (?:deje|deja|dejar|déjame|deje nos|déjanos) (?:su|tu|un|el|me)
        (?:laissez|laisser|laisse)(?: moi| nous)? (?:un|votre|vos|ton|le)
        (?:hinterlass\w*|hinterlegen|sprechen) (?:sie )?(?:bitte )?(?:eine|ihre|uns|mir|nach|nun)
        (?:lasciate|lasciare|lasci|lascia)(?:mi|ci)? (?:un|il)
        (?:deixe|deixa|grave) (?:a sua|sua|seu|um|uma|o seu)
        (?:spreek|laat) (?:een|uw|je|dan)
        zostaw\w* wiadomość|lämna ett meddelande|оставьте
        メッセージ|留言|메시지""",
    "mailbox": r"""
        (?:voice ?mail ?box|mail ?box|message bank|voice messaging|voicemail service|answering machine)
        (?:my|the|has a|to|s) (?:voice ?mail|boys mail|voice male|voice mail system)
        (?:boys mail|voice male)
        buzón|casilla de voz|messagerie|boîte vocale|répondeur|mailbox|anrufbeantworter|sprachbox|segreteria
        caixa postal|correio de voz|poczta głosowa|röstbrevlåda|автоответчик|голосовая почта
        留守番電話|語音信箱|语音信箱""",
    "announcement": r"""
        the (?:person|party|customer|subscriber|number|mobile|wireless|user|\w+ customer) (?:you|that you|whom|who you)
        (?:is )?(?:switched off|turned off|out of range|not in service|temporarily unavailable)
        (?:box|mailbox) is full|no longer in service|cannot be completed|been disconnected
        cannot (?:accept|take|receive) (?:any |new )*messages|(?:finished|done) recording|you may hang up
        not (?:been set up|accepting calls|set up|accepting messages)
        (?:your|the) call (?:has|was|is) (?:gone|been forwarded|been sent|forwarded|being forwarded)
        (?:el|la) (?:móvil|número|persona|cliente|teléfono|usuario) (?:a la |al )?que (?:ha|usted|está|marcó|llama)
        votre correspondant|le numéro que vous
        (?:der|die) (?:gewünschte|angerufene|gerufene|von ihnen|teilnehmer\w*)
        (?:la persona|l'utente|il cliente|il numero) (?:che|da lei|chiamato|selezionato)
        o (?:número|telefone|cliente) (?:que|chamado|para)
        абонент
        ただいま電話|おかけになった|您拨打的|您所拨打|고객이""",
}
VOICEMAIL_LIKELY = {
    "you_have_reached": r"""
        (?:you've|you have|you|youve|you're|your) reached
        vous êtes (?:bien )?(?:sur|chez)|hier ist (?:der|die) anschluss
        ha llamado a|has llamado|se ha comunicado con""",
    "not_available": r"""
        (?:can't|cannot|can not|couldn't|not able to|unable to|could not) (?:come|get|take|answer|pick|make|reach|talk)
        not (?:available|here|home|in|at home|around|able|answering|at my desk)
        unavailable|out of the office|away from (?:my|the|our)
        on another call|on the other line|missed your call
        no (?:estoy|está|se encuentra|puedo|podemos|estamos|hay|tiene)
        ne suis pas|n'est pas|ne sommes pas|pas disponible
        (?:no one|nobody|no body) (?:is|can)|(?:missed|miss) (?:you|your call)
        nicht (?:erreichbar|da|zu hause|verfügbar)|non (?:sono|risponde|è|siamo|posso)|não (?:está|posso|estou|pode)""",
    "will_call_back": r"""
        (?:call|ring|get back to|phone|return) you(?:r call| back)?
        (?:i'll|we'll|will|i will|we will|ill) (?:call|ring|get back|return|get to|phone)
        (?:get|got) your message|return your call
        (?:as soon as|soon as|when) (?:i|we|possible)(?: can| get| am| are|$)|earliest convenience|get in touch
        te llamo|le llamaremos|devolveremos|rappel\w+|rufe? .{0,12}zurück|richiam\w+|retorn\w+""",
    "do_what_you_know": r"""
        you know what to do
        leave it$
        do your thing
        try (?:again|your call|calling)(?: again)? later""",
}
SCREENING_SURE = {
    "screens_calls": r"""
        (?:call|calls|caller) screen\w*
        screen(?:s|ing|ed)? (?:this|your|calls|my|their|his|her|by|service|unknown)
        google (?:screen|assistant|voice)|filtre ses appels|filtra(?: sus| las)? llamadas|filtert
        (?:assistant|ai|a i|bot|secretary)(?: \w+){0,3} (?:taking|answering|picking|screening|for)
        (?:\w+ assistant|assistent\w*|asistente|assistente)(?: de| von| di| taking| answering|)
        (?:'s|s|the|an|your|digital|virtual) (?:ai|a i)\b
        (?:being|been|is|are|be) screened
        as (?:a )?text|text call|read what you|transcrib\w+
        (?:person|party|customer|subscriber|owner) (?:that )?you.{0,90}(?:name|who|what it's about|say to|why|reason)
        (?:call|caller) (?:filter|guard|block|shield|assist)\w*|privacy (?:manager|guard|service|director)""",
    "asks_for_another": r"""
        name.{0,40}(?:reason|purpose|why|about|regarding).{0,60}(?:available|connect|through|this person|pass|reach)
        (?:connect|through|reach|available|ring).{0,60} name.{0,40}(?:reason|purpose|why|about|regarding|call)""",
    "guards_the_line": r"""
        (?:prove|verify|confirm|show)(?: \w+){0,3} (?:human|person|robot)|not a (?:robot|machine|recording)
        (?:does not|doesn't|do not|don't) (?:take|accept) (?:calls|anonymous|un\w+|private|blocked)
        (?:no|not accept) solicit\w+
        before i (?:connect|put|let|pass|try)
        if you (?:don't|do not) answer
        (?:say|state|record) your name(?: and)?(?: then)? press
        (?:see|check|find out) if (?:this|the) (?:person|party|customer)|copy of this conversation
        record your name|screening service
        to (?:connect|complete|place|continue) (?:your|this|the) call|to be (?:connected|put through)
        callers? (?:it|we|they|i|that) (?:doesn't|does not|don't|do not) (?:know|recogni[sz]e)
        (?:friend|family)(?: \w+){0,5} press""",
}
SCREENING_LIKELY = {
    "speaks_for_another": r"""
        on (?:his|her|their|\w+'s|the owner's) behalf|(?:picking up|answering|taking (?:calls|this call)) for
        let (?:them|him|her) know|pass (?:it|this|that|your \w+) (?:on|along)
        (?:they|he|she)(?:'ll| will) (?:see|read|get|decide|be (?:told|notified))
        (?:can't|cannot|can not|unable to) (?:talk|speak|answer|come|take).{0,50}(?:your name|who|about)""",
    "asks_name": r"""
        (?:state|say|tell (?:me|us)|give(?: me| us)?|record|provide)(?: please)? (?:your|you're|you) (?:full )?name
        (?:say|tell me|tell us|state|ask|know) who(?:'s|s)? (?:you|this|is|calling|it|speaking)
        (?:identify|announce|introduce) yourself
        your (?:full |first |own )?name\b
        name and (?:the )?(?:reason|purpose|why)
        (?:dire|indiquez|donnez) votre nom|diga su nombre|dica il suo nome
        (?:nennen|sagen) sie (?:bitte )?(?:ihren )?namen""",
    "keeps_off": r"""
        telemarket\w+|robo ?calls?|robots?\b|spam calls?
        (?:unknown|unidentified|unwanted|anonymous|private|blocked|hidden|withheld) (?:calls?|callers?|numbers?)""",
    "asks_why": r"""
        why (?:you|you're|your|you are)(?: are)? call\w*
        (?:reason|purpose|nature) (?:for|why|of) (?:your|you|the|this|calling)
        what (?:it's|its|this|this is|this call is|your call is|it is) (?:about|regarding|concerning|in regard)
        what(?:'s| is) (?:it|this|the call|your call|the matter) (?:about|regarding|concerning)
        what you(?:'re| are|'d| would)? (?:want|need|call\w*|like to (?:talk|speak|discuss))
        what would you like to say
        (?:raison|motif|objet) de (?:votre|l'appel)|motivo de (?:su|la)|grund (?:ihres|des) anruf""",
}
IVR_SURE = {
    "press_a_key": rf"""
        (?:for|four|to|too|or|of|pour|if|say)(?: \S+)+? (?:press|prest|dial|push|hit|select|enter|rest) {_NUMBER}\b
        (?:press|prest|push) {_NUMBER}\b.*? (?:press|prest|push) {_NUMBER}\b
        press(?:ing)? {_NUMBER} (?:for|to|if|now|and|or)
        press(?: \S+){{1,9}} press\b
        (?:marque|marca|oprima|pulse|presione|diga|marka|mark a)(?: el| a)? (?:uno|dos|tres|cero|\d)
        (?:tapez|appuyez sur|faites le|composez le)(?: \w+)? (?:un|deux|trois|zéro|\d|étoile|dièse)
        (?:drücken|wählen) sie (?:bitte )?(?:die|eins|null|\d)
        (?:prema|digiti|premere|digitare|premi) (?:il |l')?(?:tasto )?(?:uno|due|tre|\d)
        (?:digite|tecle|aperte|disque|pressione) (?:um|dois|\d|o)
        (?:toets|druk) (?:een|op|\d)|wybierz|naciśnij|нажмите|按""",
    "menu": r"""
        (?:to|for)(?: \w+){1,4} (?:to|for)(?: \w+){1,4} press
        (?:followed by|then press|press) the (?:pound|hash|star)|(?:pound|hash|star) (?:key|sign)
        enter your (?:account|pin|phone|date|zip|member|card|social|party)
        (?:please )?(?:select|choose) (?:from|one of)|you can say|didn't (?:get|catch|understand) that
        (?:main menu|menu options|following (?:options|menu|choices)|options have|listen (?:carefully|closely))
        (?:your|party's|the) (?:party's )?extension(?: number)? (?:you may|now|at any|please|followed)
        (?:know|no) (?:your|you're|the) party
        (?:say|said|was that) yes or no
        (?:make|please make) a (?:choice|selection)|make your selection
        automated(?: \w+){0,3}(?: host| attendant| system| line| assistant|)
        how did we do|brief survey|survey line|in a few words
        (?:say|speak)(?: \w+){1,3} or (?:say |speak )?\w+|you (?:may|can) (?:also |now )?(?:say|speak)
        i can help(?: you)? with|tell me in|virtual (?:receptionist|agent|concierge)""",
}
IVR_LIKELY = {
    "press_a_key": rf"""
        (?:press|dial|enter|option|choose|select) {_NUMBER}\b""",
    "menu_item": r"""
        (?:for|para|pour|für|per) (?:english|spanish|español|espanol|sales|support|billing|service|hours|directions)
        to (?:speak|schedule|repeat|make a|check|report|pay|reach (?:a|an|the|our)|hear\b(?! from))
        to (?:place|order|refill|renew|track|confirm|cancel|continue|proceed|book|request|return to)""",
    "of_a_business": r"""
        (?:thank you|thanks) for calling|welcome to
        (?:office|offices|store|shop|we)(?: is| are|'re)(?: now| currently)? closed
        (?:hours|open) (?:are|of operation|from|until)""",
    "queue": r"""
        (?:next|first) available (?:agent|representative|operator|advisor|specialist|associate)
        (?:all|our) (?:of our )?(?:agents|representatives|operators|lines|advisors) are
        your call (?:is|will be) (?:important|answered|very important)
        remain on the line|stay on the line
        you are (?:caller|number|next)|(?:wait|hold) time|in the (?:queue|order)|call volumes?""",
    "standing_notice": r"""
        (?:calls?|line|conversation) (?:is|are|may be|might be|will be)(?: being)? (?:recorded|monitored)
        dial (?:911|999|112|nine one one)""",
}
HUMAN = {
    "offers_help": r"""
        how (?:can|may|could|do) (?:i|we)
        (?:can|may|could) (?:i|we) (?:help|get|have|ask|take|tell|put|call|let|know|do|see|speak|please)
        (?:i'd|i would|we'd) be (?:happy|glad)
        what can (?:i|we)
        (?:qué|que) (?:le|te|les) (?:puedo|podemos|ayud)|en qué|a sus órdenes|dígame|diga
        puis je|je vous écoute|was kann ich
        wie kann ich|come posso|posso (?:aiutar|ajudar)|em que|pois não|kan ik""",
    "asks_the_caller": r"""
        (?:who's|whose|who is|hose|hue|home) (?:this|that|calling|speaking|there|it)
        who (?:am i|are you|do you|did you|sent|gave|wants|may i|shall i|should i)
        (?:are|have|do|did|would|could|can|were|will) you (?!(?:can|may|will|have|leave|reach))
        (?:is|isn't|was) (?:this|it|that|anybody|anyone|somebody|he|she) (?!(?:call|a recording|the voicemail|not))
        what (?:do|did|are|is|was|company|the|time) (?:you|it|this|that|hell|i)
        (?:what's|whats) (?:this|it|that|up|going|your|the)
        (?:how|where|why) (?:are|did|do|is|was) (?:you|it|this|that|they)
        which (?:company|one|department|doctor)
        quién|de parte|qui est|c'est (?:qui|pour)|wer (?:ist|spricht)|chi (?:è|parla)|quem (?:é|fala)
        voulez vous|quiere|wollen sie|möchten sie|vuole""",
    "speaks_of_others": r"""
        (?:the|my) (?:doctor|boss|manager|owner|husband|wife|son|daughter)(?:'s| is| are| will)
        (?:the|my) (?:mom|mother|dad|father|kids)(?:'s| is| are| will)
        (?:he|she|they)(?:'s|'ll|'re| is| isn't| will| won't| are| can| can't| doesn't| has)
        (?:mister|mr|mrs|miss|ms|doctor|dr) \w+ (?:is|isn't|will|has)
        with me\b
        for (?:him|her|them)\b""",
    "connects": r"""
        (?:wait|hold|moment|line|patient)(?: please)? (?:while|as|and) (?:i|we|your)
        connecting you|connect(?:ing)? your call|(?:i'll|we'll|we|to) connect you
        transferring|trying to (?:reach|connect|find)""",
    "deals_with_it": r"""
        hold on|hang on|hold please|please hold|hold the line|bear with|just a|one sec|give me a
        (?:i'll|i will|let me|lemme|ill) (?:see|check|get|find|put|make sure|tell|let|have|give)
        (?:i'll|i will|let me|lemme|ill) (?:pass|take|transfer|grab|ask|go|look|be|connect)
        (?:thanks|thank you|sorry)(?: \w+)? (?:for (?:holding|waiting|calling me|calling back)|about that|about the)
        my name is|my name's|speaking$
        i(?:'m| am) (?:driving|in a meeting|busy|at work|listening|kidding|here|joking|just)
        not (?:interested|now|buying)|wrong number|leave me alone|take me off|stop calling|no thanks
        (?:you want|you wanted|you need to|you have to|you got|you'll have to|you gotta)
        this is (?:he|she|him|her|me)\b|(?:i|we) (?:already|thought|told|said)
        (?:what|who)(?:'s| is) (?:it|calling|on)|what do you|good time|on speaker|come in|come on|talk to me
        just (?:kidding|joking|the)|kidding|you there|hear you|hear me|go ahead|goa ahead|it's for you
        un momento|un instant|un moment|moment bitte|einen moment
        un attimo|attenda|um momento|no cuelgue|ne quittez""",
}
_HELLO = (
    r"(?:hello|hallo|halo|hi|hey|yeah|yes|yep|yo|hiya|howdy|low|good (?:morning|afternoon|evening|day)|speaking"
    r"|bueno|hola|ola|diga|dígame|sí|alô|alo|allô|allo|oui|ja|pronto|tak|way|wei|moshi moshi"
    r"|もしもし|喂|你好|여보세요|алло|да)"
)
GREETING = re.compile(rf"(?:(?:um|uh|oh|well|ah|and) )*{_HELLO}(?: {_HELLO})*(?: \w+){{0,3}}")
"""A whole utterance of a person who takes a call."""

REFUSAL = re.compile(
    r"(?:not accept(?:ing)? (?:your|this|the) call|(?:can't|cannot|won't|unable to) take (?:your|this) call|declined"
    r"|(?:isn't|is not|not) (?:available|taking)|unavailable|(?:call|it) (?:will|has) (?:now )?(?:end|been)"
    r"|(?:remove|take) (?:this|the|their|his|her) number|(?:don't|do not|never) call|blocked|goodbye|good bye)"
)
"""How an assistant says that the call will not be put through."""


def _bounded(line: str) -> str:
    """Let the alternatives of a line begin where a word begins; scripts without spaces have no such place."""
    return f"(?:{line})" if any(is_spaceless(character) for character in line) else rf"(?<!\w)(?:{line})"


def _compiled(blocks: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {
        name: re.compile("|".join(_bounded(line.strip()) for line in block.splitlines() if line.strip()))
        for name, block in blocks.items()
    }


SURE: Mapping[AnsweredBy, Mapping[str, re.Pattern[str]]] = {
    AnsweredBy.VOICEMAIL: _compiled(VOICEMAIL_SURE),
    AnsweredBy.SCREENING: _compiled(SCREENING_SURE),
    AnsweredBy.IVR: _compiled(IVR_SURE),
}
"""Hardly a person says these, unless in jest."""
LIKELY: Mapping[AnsweredBy, Mapping[str, re.Pattern[str]]] = {
    AnsweredBy.VOICEMAIL: _compiled(VOICEMAIL_LIKELY),
    AnsweredBy.SCREENING: _compiled(SCREENING_LIKELY),
    AnsweredBy.IVR: _compiled(IVR_LIKELY),
}
"""A secretary may say these too: two of them count as one of the others."""
OF_A_PERSON = _compiled(HUMAN)
