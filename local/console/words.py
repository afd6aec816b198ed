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
    "frame.about": ("Sobre este sistema", "About this system"),
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
    "chat.form.help": ("Escreva uma resposta por linha: campo=valor", "Write one answer per line: field=value"),
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
    "phone.hint": ("Escreva “Oi” para iniciar a conversa.", "Write “Hi” to start the conversation."),
    # Try.
    "try.flow": ("Fluxo", "Flow"),
    "try.details": ("Detalhes", "Details"),
    "try.variables": ("Variáveis", "Variables"),
    "try.turns": ("Turnos", "Turns"),
    "try.exchanges": ("JSON", "JSON"),
    "try.exchanges.help": (
        "As requisições entre a Meta e a plataforma sobre esta pessoa, da mais recente para a mais antiga.",
        "Requests between Meta and the platform about this person, newest first.",
    ),
    "try.contact": ("Contato", "Contact"),
    "try.tags": ("etiquetas", "tags"),
    "try.path": ("Caminho", "Path"),
    "try.version": ("versão {number}", "version {number}"),
    "try.no_variables": ("Nenhuma variável ainda.", "No variables yet."),
    "try.no_conversation": (
        "Sem conversa ainda: escreva no telefone.",
        "No conversation yet: write a message on the phone.",
    ),
    "try.no_turns": (
        "Nenhum turno ainda. Só administradores veem os turnos.",
        "No turns yet. Only administrators can see turns.",
    ),
    "try.no_flow": ("Nenhum fluxo responde neste número", "No flow answers on this number"),
    "try.no_flow.do": (
        "Publique um fluxo em Construir e defina-o como fluxo padrão do número.",
        "Publish a flow in Build and make it the number's default flow.",
    ),
    "try.no_phones": ("Não há telefones simulados aqui", "There are no simulated phones here"),
    "try.no_phones.do": (
        "Esta pilha usa o WhatsApp real: escreva de um telefone para o número e veja a conversa em "
        "Acompanhar. Para testar sem telefone, use a nuvem local: make run",
        "This stack uses the real WhatsApp: write to its number from a phone and see the conversation in "
        "Watch. To try it without a phone, use the local cloud: make run",
    ),
    "try.no_numbers": ("Esta organização não tem números", "This organization has no numbers"),
    "try.no_numbers.do": (
        "Conecte um número com: pytake number put. A organização “demo” já tem um.",
        "Connect a number with: pytake number put. The organization “demo” already has one.",
    ),
    "try.restart": ("Reiniciar a conversa com {name}", "Restart the conversation with {name}"),
    "try.add_phone": ("Mais um telefone", "One more phone"),
    "try.put_away": ("Remover o telefone de {name}", "Remove {name}'s phone"),
    "try.other": ("Outro número…", "Another number…"),
    "try.phone": ("Telefone com código do país", "Phone with country code"),
    "try.add": ("Adicionar", "Add"),
    "try.bad_phone": ("Digite de 8 a 15 dígitos.", "Enter 8 to 15 digits."),
    "try.too_many": ("No máximo {most} telefones.", "At most {most} phones."),
    "try.views": ("O que mostrar", "View"),
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
    "event.session_started": ("começou", "started"),
    "event.session_restarted": ("recomeçou", "restarted"),
    "event.completed": ("chegou ao fim", "completed"),
    "event.handed_off": ("transferida para atendente", "handed off"),
    "event.opted_out": ("cancelou o recebimento de mensagens", "opted out"),
    "event.variable_reported": ("variável para relatórios", "report variable"),
    "event.contact_saved": ("contato salvo", "contact saved"),
    "event.message_labeled": ("mensagem rotulada", "message labeled"),
    "event.language_set": ("idioma definido", "language set"),
    "event.consent_set": ("consentimento registrado", "consent recorded"),
    "event.tag_added": ("etiqueta adicionada", "tag added"),
    "event.tag_removed": ("etiqueta removida", "tag removed"),
    "event.event_emitted": ("evento emitido", "event emitted"),
    "event.attempts_exceeded": ("tentativas esgotadas", "too many attempts"),
    "event.timed_out": ("não respondeu a tempo", "timed out"),
    "event.stale_reply": ("botão antigo", "outdated button"),
    "event.input_ignored": ("mensagem ignorada", "input ignored"),
    "event.effect_failed": ("chamada falhou", "call failed"),
    "event.step_budget_exceeded": ("turno interrompido", "turn stopped"),
    "event.effect_budget_exceeded": ("turno interrompido", "turn stopped"),
    "event.stack_limit_exceeded": ("subfluxos demais", "too many sub-flows"),
    "event.value_too_large": ("valor grande demais", "value too large"),
    "event.state_invalid": ("estado inválido", "invalid state"),
    "event.engine_error": ("erro interno do motor", "internal engine error"),
    # Watch.
    "watch.conversations": ("Conversas", "Conversations"),
    "watch.queues": ("Filas", "Queues"),
    "watch.numbers": ("Números", "Numbers"),
    "watch.search": ("Nome, telefone ou etiqueta", "Name, phone or tag"),
    "watch.status": ("Mostrar", "Show"),
    "watch.all": ("todas", "all"),
    "watch.more": ("Mostrar mais", "Show more"),
    "watch.none": ("Ninguém escreveu ainda", "No conversations yet"),
    "watch.none.do": (
        "Quando alguém escrever para o número, a conversa aparece aqui. Na nuvem local, escreva em Testar.",
        "When a person writes to the number, the conversation appears here. On the local cloud, write in Try.",
    ),
    "watch.no_match": ("Nada encontrado", "Nothing found"),
    "watch.no_match.do": (
        "Digite o telefone completo e tecle Enter para procurar também fora da lista.",
        "Enter the complete phone number and press Enter to search beyond the list.",
    ),
    "watch.unknown_phone": ("Não há conversa com {phone}.", "There is no conversation with {phone}."),
    "watch.choose": ("Escolha uma conversa", "Choose a conversation"),
    "watch.choose.do": (
        "Aqui aparecem as mensagens com o status de entrega, e você pode assumir a conversa.",
        "Its messages appear here with their delivery status, and you can take over the conversation.",
    ),
    "watch.conversation": ("Conversa", "Conversation"),
    "watch.transcript": ("Mensagens da conversa", "Messages of the conversation"),
    "watch.facts": ("Sobre a conversa", "About the conversation"),
    "watch.back": ("Voltar à lista", "Back to the list"),
    "watch.write": ("Responder como atendente", "Reply as an agent"),
    "watch.flow": ("fluxo", "flow"),
    "watch.node": ("nó", "node"),
    "watch.window": ("janela até", "window until"),
    "watch.number": ("número", "number"),
    "watch.opted_out": ("não quer receber mensagens", "opted out"),
    "watch.truncated": ("Há mensagens mais antigas", "There are older messages"),
    "watch.resume": ("Devolver ao bot", "Return to the bot"),
    "watch.resume.done": ("O bot voltou a responder.", "The bot answers again."),
    "watch.close": ("Encerrar", "Close"),
    "watch.close.ask": (
        "A sessão termina. A próxima mensagem da pessoa inicia uma nova sessão com o bot.",
        "The session ends. The person's next message starts a new session with the bot.",
    ),
    "watch.close.done": ("A sessão terminou.", "The session has ended."),
    "watch.notice.bot": (
        "O bot está respondendo. Se você escrever, ele para até você devolver a conversa.",
        "The bot is answering. If you write, it stops until you return the conversation.",
    ),
    "watch.notice.human": (
        "A conversa está com atendentes; o bot não responde.",
        "Agents handle this conversation; the bot does not answer.",
    ),
    "watch.notice.window": (
        "A última mensagem da pessoa tem mais de 24 horas: o WhatsApp só aceita texto livre dentro de 24 horas.",
        "The person's last message is more than 24 hours old: WhatsApp accepts free text only within 24 hours.",
    ),
    "watch.notice.opted_out": (
        "A pessoa não quer receber mensagens. Quando ela escrever de novo, você pode responder.",
        "The person opted out. You can reply when they write again.",
    ),
    "ago.now": ("agora", "now"),
    "ago.minutes": ("{count} min", "{count} min"),
    "ago.hours": ("{count} h", "{count} h"),
    "ago.days": ("{count} d", "{count} d"),
    "status.out": ("parado", "stopped"),
    "queue.inbound": ("Entrada", "Inbound"),
    "queue.inbound.what": (
        "Mensagens das pessoas, a caminho do fluxo",
        "Messages from people, on their way to the flow",
    ),
    "queue.outbound": ("Saída", "Outbound"),
    "queue.outbound.what": ("Respostas a caminho da Meta", "Replies on their way to Meta"),
    "queue.statuses": ("Status de entrega", "Delivery statuses"),
    "queue.statuses.what": ("Enviada, entregue, lida, falhou", "Sent, delivered, read, failed"),
    "queue.media": ("Arquivos", "Files"),
    "queue.media.what": ("Arquivos recebidos", "Files of people"),
    "queue.schedule": ("Agendamentos", "Schedule"),
    "queue.schedule.what": ("Tarefas agendadas", "Scheduled jobs"),
    "queues.waiting": ("na fila", "waiting"),
    "queues.dead": ("com falha", "failed"),
    "queues.given_up": ("Mensagens com falha", "Failed messages"),
    "queues.at": ("Quando", "When"),
    "queues.conversation": ("Conversa", "Conversation"),
    "queues.what": ("Conteúdo", "Content"),
    "queues.reason": ("Motivo", "Reason"),
    "queues.redrive": ("Reenviar", "Redrive"),
    "queues.redrive.conversation": ("Reenviar a conversa {name}", "Redrive the conversation {name}"),
    "queues.redrive.ask": (
        "Todas as mensagens voltam à fila, cada conversa em ordem. Nada é processado duas vezes: mensagens "
        "já aceitas são ignoradas.",
        "All messages go back to their queue, in order per conversation. Nothing is processed twice: "
        "accepted messages are skipped.",
    ),
    "queues.redrive.ask_one": (
        "As mensagens de {name} voltam à fila, em ordem.",
        "The messages of {name} go back to their queue, in order.",
    ),
    "queues.redriving": ("Reenviando…", "Redriving…"),
    "queues.redriven": ("De volta à fila: {count}.", "Back in the queue: {count}."),
    "queues.all_well": ("Nenhuma mensagem com falha.", "No failed messages."),
    "queues.problem": ("As filas não respondem", "The queues do not respond"),
    "queues.no_stack": ("A API não dá acesso às filas", "The API does not give access to the queues"),
    "queues.no_stack.do": (
        "Inicie o console com --stack NOME e credenciais da conta AWS para ver e reenviar as mensagens com falha.",
        "Start the console with --stack NAME and credentials of the AWS account to see and redrive failed messages.",
    ),
    "reason.retry": ("A Meta limitou o envio vezes demais", "Meta throttled it too often"),
    "reason.transient": ("A Meta falhou ao enviar vezes demais", "Meta failed to send it too often"),
    "reason.hold_recipient": ("Mensagens demais para esta pessoa", "Too many messages to this person"),
    "reason.ambiguous": ("Não se sabe se a mensagem foi enviada", "It is unknown whether it was sent"),
    "reason.retry_manually": (
        "A Meta não aceita a mensagem agora: reenvie mais tarde",
        "Meta does not accept it now: redrive it later",
    ),
    "reason.permanent": ("A Meta rejeita esta mensagem definitivamente", "Meta rejects this message permanently"),
    "reason.window_closed": ("A janela de 24 horas fechou", "The 24-hour window has closed"),
    "reason.opted_out": ("A pessoa não quer receber mensagens", "The person opted out"),
    "reason.no_consent": (
        "A pessoa não aceitou receber este tipo de mensagem",
        "The person does not consent to this kind of message",
    ),
    "reason.invalid_recipient": ("Esta pessoa não pode receber mensagens", "This person cannot receive messages"),
    "reason.media": ("A Meta não conseguiu baixar o arquivo", "Meta could not download the file"),
    "reason.template": (
        "O modelo não existe, está pausado ou foi preenchido incorretamente",
        "The template does not exist, is paused or has wrong parameters",
    ),
    "reason.fatal_token": ("A Meta rejeita o token de acesso", "Meta rejects the access token"),
    "reason.fatal_account": ("A Meta bloqueou a conta ou o número", "Meta has blocked the account or the number"),
    "numbers.sending": ("envia", "sends"),
    "numbers.stopped": ("parado", "stopped"),
    "numbers.resuming": ("retomando", "resuming"),
    "numbers.flow": ("Fluxo padrão", "Default flow"),
    "numbers.no_flow": ("nenhum", "none"),
    "numbers.keywords": ("Palavras-chave", "Keywords"),
    "numbers.stopped.do": (
        "As mensagens aguardam e nada se perde. Corrija a causa (token, conta) e retome.",
        "Its messages wait and nothing is lost. Fix the cause (token, account), then resume.",
    ),
    "numbers.resume": ("Retomar", "Resume"),
    "numbers.resumed": (
        "O número voltou a enviar. Conversas sendo enviadas: {count}.",
        "The number sends again. Conversations being sent: {count}.",
    ),
    # Flows, wherever they are drawn.
    "graph.label": ("Fluxo {name}: use Tab para ir de nó em nó", "Flow {name}: use Tab to go from node to node"),
    "graph.leads_to": ("Leva a: {names}", "Leads to: {names}"),
    "graph.here": ("aqui", "here"),
    "graph.ended": ("fim", "end"),
    "graph.passed": ("no caminho percorrido", "on the path taken"),
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
    "exit.otherwise": ("outra resposta", "any other answer"),
    "exit.branch": ("caso {number}", "case {number}"),
    "exit.timeout": ("sem resposta", "no answer"),
    "exit.max_attempts": ("tentativas esgotadas", "too many attempts"),
    "exit.error": ("erro", "error"),
    "exit.invalid": ("inválida", "invalid"),
    "exit.stale": ("botão antigo", "outdated button"),
    "exit.wait": ("espera", "waits"),
    "exit.end": ("fim", "end"),
    "exit.return": ("volta", "returns"),
    "exit.handoff": ("atendente", "handoff"),
    "exit.jump": ("entra", "enters"),
    "exit.next": ("segue", "continues"),
    # What went wrong, and what to do.
    "problem.no_token": ("Não há token", "There is no token"),
    "problem.no_token.do": (
        "Salve um token do seu provedor OIDC no arquivo de --token-file e tente de novo.",
        "Save a token of your OIDC provider in the file given with --token-file, then try again.",
    ),
    "problem.token_refused": ("O token foi rejeitado", "The token was rejected"),
    "problem.token_refused.do": (
        "Ele pode ter expirado ou ser de outro emissor. Salve um token novo no arquivo: ele é lido a cada requisição.",
        "It may have expired or be from another issuer. Save a new one in the file: it is read for every request.",
    ),
    "problem.role_not_allowed": ("Este papel não pode ver isto", "This role may not see this"),
    "problem.role_not_allowed.do": (
        "Use um token com outro papel. Na nuvem local, mude o papel no alto da página.",
        "Use a token with another role. On the local cloud, change the role at the top of the page.",
    ),
    "problem.unreachable": ("A API não responde", "The API does not respond"),
    "problem.unreachable.do": (
        "Verifique o endereço e a rede. A nuvem local inicia com: make run",
        "Check the address and the network. Start the local cloud with: make run",
    ),
    "problem.starting": ("Ainda está iniciando", "Still starting"),
    "problem.starting.do": (
        "A nuvem local está implantando o sistema. Espere alguns segundos e tente de novo.",
        "The local cloud is deploying the system. Wait a few seconds, then try again.",
    ),
    "problem.unknown": ("Não encontrado", "Not found"),
    "problem.unknown.do": (
        "Pode ter sido excluído. Volte e escolha outro.",
        "It may have been deleted. Go back and choose another.",
    ),
    "problem.refused": ("A API rejeitou a requisição", "The API rejected the request"),
    "problem.refused.do": (
        "Corrija o que a mensagem indica e tente de novo.",
        "Fix what the message says, then try again.",
    ),
    "problem.unexpected": ("Algo deu errado no console", "Something went wrong in the console"),
    "problem.unexpected.do": (
        "Recarregue a página. O terminal do console mostra os detalhes.",
        "Reload the page. The console's terminal shows the details.",
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
