"""Every text of the console, in its two languages. Keys go by area; `{name}` in a text is filled in.

Build and Measure keep theirs in modules of their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from local.console.words_build import BUILD
from local.console.words_measure import MEASURE

Language = Literal["pt_BR", "en"]
LANGUAGES: tuple[Language, ...] = ("pt_BR", "en")
NAMES = {"pt_BR": "Português", "en": "English"}

# Portuguese, English.
TEXTS: dict[str, tuple[str, str]] = {
    # The frame around every page.
    "app.name": ("PyTake Console", "PyTake Console"),
    "app.skip": ("Pular para o conteúdo", "Skip to the content"),
    "area.try": ("Testar", "Try"),
    "area.build": ("Construir", "Build"),
    "area.watch": ("Acompanhar", "Watch"),
    "area.measure": ("Medir", "Measure"),
    "frame.areas": ("Áreas", "Areas"),
    "frame.language": ("Idioma: {name}", "Language: {name}"),
    "frame.theme": ("Aparência: {name}", "Appearance: {name}"),
    "frame.theme.auto": ("automática", "automatic"),
    "frame.theme.light": ("clara", "light"),
    "frame.theme.dark": ("escura", "dark"),
    "frame.about": ("O que roda aqui", "What runs here"),
    "frame.local": ("Nuvem local", "Local cloud"),
    "frame.deployed": ("Pilha implantada", "Deployed stack"),
    "frame.identity": ("Organização e papel", "Organization and role"),
    "frame.organization": ("Organização", "Organization"),
    "frame.role": ("Papel", "Role"),
    "frame.apply": ("Aplicar", "Apply"),
    "frame.close": ("Fechar", "Close"),
    "frame.cancel": ("Cancelar", "Cancel"),
    "frame.loading": ("Carregando…", "Loading…"),
    "frame.retry": ("Tentar de novo", "Try again"),
    "frame.copy": ("Copiar", "Copy"),
    "frame.copied": ("Copiado", "Copied"),
    # Chats, on a phone and at an agent's desk.
    "chat.by.user": ("A pessoa:", "The person:"),
    "chat.by.bot": ("O bot:", "The bot:"),
    "chat.by.agent": ("Atendente:", "Agent:"),
    "chat.attach": ("Anexar", "Attach"),
    "chat.send": ("Enviar", "Send"),
    "chat.placeholder": ("Mensagem", "Message"),
    "chat.write_as": ("Escrever como {name}", "Write as {name}"),
    "chat.send_location": ("Enviar localização", "Send location"),
    "chat.form": ("Formulário", "Form"),
    "chat.form.help": ("Escreva uma resposta por linha: campo=valor", "Write one answer a line: field=value"),
    "chat.form.answers": ("Respostas", "Answers"),
    "media.image": ("Foto", "Photo"),
    "media.video": ("Vídeo", "Video"),
    "media.audio": ("Áudio", "Audio"),
    "media.document": ("Documento", "Document"),
    "media.sticker": ("Figurinha", "Sticker"),
    "media.location": ("Localização", "Location"),
    "media.contacts": ("Contato", "Contact"),
    "ticks.waiting": ("a caminho", "on its way"),
    "ticks.sent": ("enviada", "sent"),
    "ticks.delivered": ("entregue", "delivered"),
    "ticks.read": ("lida", "read"),
    "ticks.failed": ("não entregue", "not delivered"),
    "phone.of": ("Telefone de {name}", "{name}'s phone"),
    "phone.seen_as": ("no telefone de {name}", "on {name}'s phone"),
    "phone.messages": ("Mensagens", "Messages"),
    "phone.typing": ("digitando…", "typing…"),
    "phone.hint": ("Escreva “Oi” para começar a conversa.", "Write “Hi” to begin the conversation."),
    # Try.
    "try.flow": ("Fluxo", "Flow"),
    "try.details": ("Detalhes", "Details"),
    "try.variables": ("Variáveis", "Variables"),
    "try.turns": ("Turnos", "Turns"),
    "try.exchanges": ("JSON", "JSON"),
    "try.exchanges.help": (
        "O que a Meta e a plataforma disseram uma à outra sobre esta pessoa, o mais novo primeiro.",
        "What Meta and the platform said to each other about this person, newest first.",
    ),
    "try.contact": ("Contato", "Contact"),
    "try.tags": ("etiquetas", "tags"),
    "try.path": ("Caminho", "Path"),
    "try.version": ("versão {number}", "version {number}"),
    "try.no_variables": ("Nenhuma variável ainda.", "No variables yet."),
    "try.no_conversation": ("Sem conversa ainda: escreva no telefone.", "No conversation yet: write on the phone."),
    "try.no_turns": (
        "Nenhum turno ainda. Os turnos aparecem para administradores.",
        "No turns yet. Turns are shown to administrators.",
    ),
    "try.no_flow": ("Nenhum fluxo responde a este número", "No flow answers at this number"),
    "try.no_flow.do": (
        "Publique um fluxo em Construir e faça dele o fluxo padrão do número.",
        "Publish a flow under Build and make it the number's default flow.",
    ),
    "try.no_phones": ("Aqui não há telefones simulados", "There are no simulated phones here"),
    "try.no_phones.do": (
        "Esta pilha fala com o WhatsApp de verdade: escreva de um telefone para o número e veja a conversa em Acompanhar. "
        "Para experimentar sem telefone, use a nuvem local: make run",
        "This stack speaks with the real WhatsApp: write to its number from a phone and see the conversation under Watch. "
        "To try without a phone, use the local cloud: make run",
    ),
    "try.no_numbers": ("Esta organização não tem números", "This organization has no numbers"),
    "try.no_numbers.do": (
        "Conecte um número com: pytake number put. A organização “demo” já tem um.",
        "Connect a number with: pytake number put. The organization “demo” has one.",
    ),
    "try.restart": ("Começar de novo com {name}", "Start over with {name}"),
    "try.add_phone": ("Pôr outro telefone ao lado", "Put another phone beside it"),
    "try.put_away": ("Guardar o telefone de {name}", "Put {name}'s phone away"),
    "try.other": ("Outro número…", "Another number…"),
    "try.phone": ("Telefone com código do país", "Phone with country code"),
    "try.add": ("Adicionar", "Add"),
    "try.bad_phone": ("Escreva de 8 a 15 dígitos.", "Write 8 to 15 digits."),
    "try.too_many": ("Cabem {most} telefones.", "There is room for {most} phones."),
    "try.views": ("O que mostrar", "What to show"),
    "try.view.phones": ("Telefone", "Phone"),
    "try.view.flow": ("Fluxo", "Flow"),
    "try.view.details": ("Detalhes", "Details"),
    "table.name": ("Nome", "Name"),
    "table.value": ("Valor", "Value"),
    "status.waiting": ("aguardando", "waiting"),
    "status.human": ("com atendente", "with an agent"),
    "status.idle": ("sem sessão", "no session"),
    "status.none": ("nunca escreveu", "never wrote"),
    "exchange.webhook": ("webhook", "webhook"),
    "exchange.graph": ("Graph API", "Graph API"),
    "exchange.answer": ("Resposta {status}", "Answer {status}"),
    "event.session_started": ("começou", "began"),
    "event.session_restarted": ("recomeçou", "began anew"),
    "event.completed": ("chegou ao fim", "came to the end"),
    "event.handed_off": ("passou para atendente", "handed over"),
    "event.opted_out": ("não quer mais mensagens", "opted out"),
    "event.variable_reported": ("variável para relatórios", "variable for reports"),
    "event.contact_saved": ("contato salvo", "contact saved"),
    "event.tag_added": ("etiqueta posta", "tag added"),
    "event.tag_removed": ("etiqueta tirada", "tag removed"),
    "event.event_emitted": ("evento emitido", "event emitted"),
    "event.attempts_exceeded": ("tentativas esgotadas", "too many tries"),
    "event.timed_out": ("não respondeu a tempo", "no answer in time"),
    "event.stale_reply": ("botão antigo", "old button"),
    "event.input_ignored": ("sem efeito agora", "no effect now"),
    "event.effect_failed": ("chamada falhou", "call failed"),
    "event.step_budget_exceeded": ("turno interrompido", "turn stopped"),
    "event.stack_limit_exceeded": ("subfluxos demais", "too many sub-flows"),
    "event.value_too_large": ("valor grande demais", "value too large"),
    "event.state_invalid": ("estado inválido", "invalid state"),
    "event.engine_error": ("defeito do motor", "engine defect"),
    # Watch.
    "watch.conversations": ("Conversas", "Conversations"),
    "watch.queues": ("Filas", "Queues"),
    "watch.numbers": ("Números", "Numbers"),
    "watch.search": ("Nome, telefone ou etiqueta", "Name, phone or tag"),
    "watch.status": ("Mostrar", "Show"),
    "watch.all": ("todas", "all"),
    "watch.more": ("Mostrar mais", "Show more"),
    "watch.none": ("Ninguém escreveu ainda", "Nobody has written yet"),
    "watch.none.do": (
        "Assim que alguém escrever para o número, a conversa aparece aqui. Na nuvem local, escreva em Testar.",
        "As soon as somebody writes to the number, the conversation appears here. On the local cloud, write under Try.",
    ),
    "watch.no_match": ("Nada encontrado", "Nothing found"),
    "watch.no_match.do": (
        "Escreva o telefone inteiro e tecle Enter para procurar também fora da lista.",
        "Write the whole phone number and press Enter to search beyond the list, too.",
    ),
    "watch.nobody": ("Não há conversa com {phone}.", "There is no conversation with {phone}."),
    "watch.choose": ("Escolha uma conversa", "Choose a conversation"),
    "watch.choose.do": (
        "Aqui aparecem as mensagens com a entrega de cada uma, e você pode assumir a conversa.",
        "Its messages appear here with the delivery of each, and you can take it over.",
    ),
    "watch.conversation": ("Conversa", "Conversation"),
    "watch.transcript": ("Mensagens da conversa", "Messages of the conversation"),
    "watch.facts": ("Sobre a conversa", "About the conversation"),
    "watch.back": ("Voltar à lista", "Back to the list"),
    "watch.write": ("Responder como atendente", "Answer as an agent"),
    "watch.flow": ("fluxo", "flow"),
    "watch.node": ("nó", "node"),
    "watch.window": ("janela até", "window until"),
    "watch.number": ("número", "number"),
    "watch.opted_out": ("não quer mensagens", "opted out"),
    "watch.truncated": ("Há mensagens mais antigas", "There are older messages"),
    "watch.resume": ("Devolver ao bot", "Back to the bot"),
    "watch.resume.done": ("O bot responde de novo.", "The bot answers again."),
    "watch.close": ("Encerrar", "Close"),
    "watch.close.ask": (
        "A sessão termina. A próxima mensagem da pessoa começa uma nova com o bot.",
        "The session ends. The person's next message begins a new one with the bot.",
    ),
    "watch.close.done": ("A sessão terminou.", "The session has ended."),
    "watch.notice.bot": (
        "O bot conduz. Se você escrever, ele se cala até você devolver a conversa.",
        "The bot is at work. When you write, it is silent until you give the conversation back.",
    ),
    "watch.notice.human": (
        "A conversa está com atendentes: o bot está calado.",
        "Agents have this conversation: the bot is silent.",
    ),
    "watch.notice.window": (
        "A pessoa escreveu há mais de 24 horas: o WhatsApp só aceita texto livre dentro de 24 horas.",
        "The person last wrote more than 24 hours ago: WhatsApp takes free text only within 24 hours.",
    ),
    "watch.notice.opted_out": (
        "A pessoa não quer mensagens. Quando ela escrever de novo, você pode responder.",
        "The person wants no messages. When they write again, you can answer.",
    ),
    "ago.now": ("agora", "now"),
    "ago.minutes": ("{count} min", "{count} min"),
    "ago.hours": ("{count} h", "{count} h"),
    "ago.days": ("{count} d", "{count} d"),
    "status.out": ("parado", "stopped"),
    "queue.inbound": ("Entrada", "Inbound"),
    "queue.inbound.what": (
        "O que as pessoas escreveram, a caminho do fluxo",
        "What people wrote, on its way to the flow",
    ),
    "queue.outbound": ("Saída", "Outbound"),
    "queue.outbound.what": ("Respostas a caminho da Meta", "Answers on their way to Meta"),
    "queue.statuses": ("Recibos", "Statuses"),
    "queue.statuses.what": ("Enviada, entregue, lida, falhou", "Sent, delivered, read, failed"),
    "queue.schedule": ("Agenda", "Schedule"),
    "queue.schedule.what": ("Tarefas programadas", "Scheduled jobs"),
    "queues.waiting": ("na fila", "waiting"),
    "queues.dead": ("desistências", "given up"),
    "queues.given_up": ("O que foi abandonado", "What was given up on"),
    "queues.at": ("Quando", "When"),
    "queues.conversation": ("Conversa", "Conversation"),
    "queues.what": ("O quê", "What"),
    "queues.reason": ("Motivo", "Reason"),
    "queues.redrive": ("Reenviar", "Redrive"),
    "queues.redrive.conversation": ("Reenviar a conversa {name}", "Redrive the conversation {name}"),
    "queues.redrive.ask": (
        "Tudo volta à fila, cada conversa em ordem. Nada é feito duas vezes: o que já foi aceito é pulado.",
        "Everything goes back to its queue, each conversation in order. Nothing is done twice: what was accepted is skipped.",
    ),
    "queues.redrive.ask_one": (
        "As mensagens de {name} voltam à fila, em ordem.",
        "The messages of {name} go back to their queue, in order.",
    ),
    "queues.redriving": ("Reenviando…", "Redriving…"),
    "queues.redriven": ("De volta à fila: {count}.", "Back on the queue: {count}."),
    "queues.all_well": ("Nada foi abandonado.", "Nothing was given up on."),
    "queues.problem": ("As filas não respondem", "The queues do not answer"),
    "queues.no_stack": ("As filas não passam pela API", "The queues are not reached through the API"),
    "queues.no_stack.do": (
        "Comece o console com --stack NOME e credenciais da conta AWS para ver e reenviar o que foi abandonado.",
        "Start the console with --stack NAME and credentials of the AWS account to see and redrive what was given up on.",
    ),
    "reason.retry": ("A Meta pediu para esperar, vezes demais", "Meta asked to wait, too many times"),
    "reason.hold_recipient": ("Mensagens demais para esta pessoa", "Too many messages to this person"),
    "reason.ambiguous": ("Não se sabe se foi enviada", "Nobody knows whether it was sent"),
    "reason.retry_manually": (
        "A Meta não a aceita agora: reenvie mais tarde",
        "Meta does not take it now: redrive it later",
    ),
    "reason.permanent": ("A Meta nunca vai aceitar esta mensagem", "Meta will never take this message"),
    "reason.window_closed": ("A janela de 24 horas fechou", "The 24-hour window has closed"),
    "reason.opted_out": ("A pessoa não quer mensagens", "The person wants no messages"),
    "reason.invalid_recipient": ("Não se pode escrever a esta pessoa", "This person cannot be written to"),
    "reason.media": ("A Meta não conseguiu pegar o arquivo", "Meta could not take the file"),
    "reason.template": (
        "O modelo falta, está pausado ou mal preenchido",
        "The template is missing, paused or filled wrongly",
    ),
    "reason.fatal_token": ("A Meta recusa o token de acesso", "Meta refuses the access token"),
    "reason.fatal_account": ("A Meta bloqueou a conta ou o número", "Meta has blocked the account or the number"),
    "numbers.sending": ("envia", "sends"),
    "numbers.stopped": ("parado", "stopped"),
    "numbers.resuming": ("retomando", "resuming"),
    "numbers.flow": ("Fluxo padrão", "Default flow"),
    "numbers.no_flow": ("nenhum", "none"),
    "numbers.keywords": ("Palavras-chave", "Keywords"),
    "numbers.stopped.do": (
        "As mensagens esperam e nada se perde. Corrija a causa (token, conta) e retome.",
        "Its messages wait and nothing is lost. Mend the cause (token, account), then resume.",
    ),
    "numbers.resume": ("Retomar", "Resume"),
    "numbers.resumed": (
        "O número envia de novo. Conversas a caminho: {count}.",
        "The number sends again. Conversations on their way: {count}.",
    ),
    # Flows, wherever they are drawn.
    "graph.label": ("Fluxo {name}: use Tab para ir de nó em nó", "Flow {name}: use Tab to go from node to node"),
    "graph.leads_to": ("Leva a: {names}", "Leads to: {names}"),
    "graph.here": ("aqui", "here"),
    "graph.ended": ("fim", "end"),
    "graph.passed": ("no caminho percorrido", "on the way taken"),
    "graph.exits": ("Saídas", "Exits"),
    "graph.exit": ("Saída", "Exit"),
    "graph.to": ("Leva a", "Leads to"),
    "graph.larger": ("Aumentar o desenho", "Make the drawing larger"),
    "graph.smaller": ("Diminuir o desenho", "Make the drawing smaller"),
    "node.start": ("Início", "Start"),
    "node.message": ("Mensagem", "Message"),
    "node.question": ("Pergunta", "Question"),
    "node.condition": ("Condição", "Condition"),
    "node.jump": ("Subfluxo", "Sub-flow"),
    "node.end": ("Fim", "End"),
    "node.handoff": ("Atendente", "Handoff"),
    "node.action": ("Ação", "Action"),
    "node.api_call": ("Chamada de API", "API call"),
    "node.ai_prompt": ("Modelo de IA", "AI prompt"),
    "node.delay": ("Espera", "Delay"),
    "node.set_variable": ("Variável", "Variable"),
    "node.random": ("Sorteio", "Random"),
    "node.template": ("Modelo de mensagem", "Template"),
    "node.whatsapp_flow": ("Formulário", "Form"),
    "exit.true": ("sim", "yes"),
    "exit.false": ("não", "no"),
    "exit.default": ("senão", "otherwise"),
    "exit.otherwise": ("outra resposta", "any other"),
    "exit.branch": ("caso {number}", "case {number}"),
    "exit.timeout": ("sem resposta", "no answer"),
    "exit.max_attempts": ("tentativas esgotadas", "too many tries"),
    "exit.error": ("erro", "error"),
    "exit.invalid": ("inválida", "invalid"),
    "exit.stale": ("botão antigo", "old button"),
    "exit.wait": ("espera", "waits"),
    "exit.end": ("fim", "end"),
    "exit.return": ("volta", "returns"),
    "exit.handoff": ("atendente", "handoff"),
    "exit.jump": ("entra", "enters"),
    "exit.next": ("segue", "goes on"),
    # What went wrong, and what to do.
    "problem.no_token": ("Não há token", "There is no token"),
    "problem.no_token.do": (
        "Guarde um token do seu provedor OIDC no arquivo que --token-file nomeia e tente de novo.",
        "Put a token of your OIDC provider into the file that --token-file names, then try again.",
    ),
    "problem.token_refused": ("O token não foi aceito", "The token was not accepted"),
    "problem.token_refused.do": (
        "Ele pode ter expirado ou ser de outro emissor. Grave um token novo no arquivo: ele é lido a cada pedido.",
        "It may have expired, or be of another issuer. Write a new one into the file: it is read at every request.",
    ),
    "problem.role_not_allowed": ("Este papel não pode ver isto", "This role may not see this"),
    "problem.role_not_allowed.do": (
        "Use um token com outro papel. Na nuvem local, mude o papel no alto da página.",
        "Use a token with another role. On the local cloud, change the role at the top of the page.",
    ),
    "problem.unreachable": ("A API não responde", "The API does not answer"),
    "problem.unreachable.do": (
        "Confira o endereço e a rede. A nuvem local começa com: make run",
        "Check the address and the network. The local cloud starts with: make run",
    ),
    "problem.starting": ("Ainda está começando", "Still starting"),
    "problem.starting.do": (
        "A nuvem local implanta o sistema. Espere alguns segundos e tente de novo.",
        "The local cloud is deploying the system. Wait some seconds, then try again.",
    ),
    "problem.unknown": ("Não existe", "It does not exist"),
    "problem.unknown.do": (
        "Pode ter sido apagado. Volte e escolha outro.",
        "It may be gone. Go back and choose another.",
    ),
    "problem.refused": ("A API recusou o pedido", "The API refused the request"),
    "problem.refused.do": (
        "Corrija o que a mensagem diz e tente de novo.",
        "Mend what the message says, then try again.",
    ),
    "problem.unexpected": ("Algo deu errado no console", "Something went wrong in the console"),
    "problem.unexpected.do": (
        "Carregue a página de novo. O terminal do console mostra os detalhes.",
        "Load the page again. The console's terminal shows the details.",
    ),
    **BUILD,
    **MEASURE,
}


@dataclass(frozen=True)
class Words:
    """The texts in one language: `words("key", name=…)`."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """Return a text. Raises KeyError for a key that the catalogue does not have."""
        text = TEXTS[key][LANGUAGES.index(self.language)]
        return text.format(**values) if values else text

    def get(self, key: str, default: str) -> str:
        """Return a text, or `default` where the catalogue has none: for keys that come from outside."""
        return self(key) if key in TEXTS else default

    @property
    def html_language(self) -> str:
        """The language as HTML names it."""
        return self.language.replace("_", "-")


def preferred(accepted: str) -> Language:
    """Return the language for an `Accept-Language` header: the first that the console speaks, else English."""
    for entry in _by_weight(accepted):
        if entry.startswith("pt"):
            return "pt_BR"
        if entry.startswith("en"):
            return "en"
    return "en"


def _by_weight(accepted: str) -> Iterable[str]:
    weighted: list[tuple[float, str]] = []
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";q=")
        try:
            weighted.append((float(weight) if weight else 1.0, name.strip()))
        except ValueError:
            continue
    return [name for _, name in sorted(weighted, key=lambda entry: -entry[0])]
