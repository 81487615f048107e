"""Letters in German."""

from __future__ import annotations

from collections.abc import Mapping

from auth.domain.letter_words.words import Words
from auth.domain.letters import LetterKind

CLOSING = "Diese Nachricht hat Signoff selbst verschickt; Antworten darauf liest niemand."

WORDS: Mapping[LetterKind, Words] = {
    LetterKind.VERIFY_ADDRESS: Words(
        "Bestätigen Sie Ihre E-Mail-Adresse",
        (
            "Jemand, hoffentlich Sie, hat sich mit dieser E-Mail-Adresse bei Signoff registriert.",
            "Wenn Sie das waren, öffnen Sie zur Bestätigung innerhalb eines Tages diesen Link: {link}",
            "Wenn Sie es nicht waren, öffnen Sie den Link nicht. Ohne ihn entsteht kein Konto.",
        ),
    ),
    LetterKind.ADDRESS_KNOWN: Words(
        "Sie haben schon ein Konto",
        (
            "Jemand, vielleicht Sie, wollte diese E-Mail-Adresse für ein Konto bei Signoff verwenden. Sie gehört schon"
            " zu Ihrem; es wurde nichts geändert.",
            "Wenn Sie das waren, melden Sie sich wie gewohnt an: {web}. Haben Sie Ihr Passwort vergessen, können Sie"
            " dort ein neues anfordern.",
        ),
    ),
    LetterKind.APPROVAL_WAITING: Words(
        "Ein neues Konto wartet auf Freigabe",
        (
            "{email} hat sich registriert und die Adresse bestätigt. Das Konto wartet auf Ihre Entscheidung.",
            "Die Kennung des Kontos: {account_id}",
        ),
    ),
    LetterKind.ACCOUNT_APPROVED: Words(
        "Ihr Konto ist freigegeben",
        ("Ihr Konto bei Signoff wurde freigegeben. Sie können sich ab sofort anmelden: {web}",),
    ),
    LetterKind.ACCOUNT_REFUSED: Words(
        "Ihr Konto wurde nicht freigegeben",
        ("Ihr Konto bei Signoff wurde nicht freigegeben. Ihre Angaben aus der Registrierung werden gelöscht.",),
    ),
    LetterKind.RESET_PASSWORD: Words(
        "Wählen Sie ein neues Passwort",
        (
            "Jemand, hoffentlich Sie, hat für Ihr Konto bei Signoff ein neues Passwort angefordert.",
            "Wenn Sie das waren, öffnen Sie innerhalb von 30 Minuten diesen Link und wählen Sie eines: {link}",
            "Wenn Sie es nicht waren, brauchen Sie nichts zu tun: Ihr Passwort bleibt, wie es ist.",
        ),
    ),
    LetterKind.PASSWORD_CHANGED: Words(
        "Ihr Passwort wurde geändert",
        (
            "Das Passwort Ihres Kontos bei Signoff wurde geändert, und alle anderen Sitzungen wurden beendet.",
            "Wenn Sie das nicht waren, wählen Sie jetzt ein neues: {web}",
        ),
    ),
    LetterKind.CHANGE_ADDRESS: Words(
        "Bestätigen Sie Ihre neue E-Mail-Adresse",
        (
            "Jemand, hoffentlich Sie, will diese E-Mail-Adresse für ein Konto bei Signoff verwenden.",
            "Wenn Sie das waren, öffnen Sie zur Bestätigung innerhalb eines Tages diesen Link: {link}",
            "Wenn Sie es nicht waren, öffnen Sie den Link nicht. Ohne ihn ändert sich nichts.",
        ),
    ),
    LetterKind.ADDRESS_CHANGE_ASKED: Words(
        "Ihre E-Mail-Adresse soll geändert werden",
        (
            "Jemand, der Ihr Passwort kennt, will die E-Mail-Adresse Ihres Kontos bei Signoff ändern. Sie ändert sich,"
            " sobald die neue Adresse bestätigt ist.",
            "Wenn Sie das nicht waren, ändern Sie jetzt Ihr Passwort; das verhindert es: {web}",
        ),
    ),
    LetterKind.ADDRESS_CHANGED: Words(
        "Ihre E-Mail-Adresse wurde geändert",
        (
            "Ihr Konto bei Signoff hat eine neue E-Mail-Adresse. Diese hier wird nicht mehr verwendet.",
            "Wenn Sie das nicht waren, schreiben Sie sofort an die, die Signoff für Sie betreiben.",
        ),
    ),
    LetterKind.NEW_SIGN_IN: Words(
        "Eine neue Anmeldung an Ihrem Konto",
        (
            "Jemand, hoffentlich Sie, hat sich mit einem neuen Gerät an Ihrem Konto bei Signoff angemeldet.",
            "Wann: {at}",
            "Gerät: {device}",
            "Von: {place}",
            "Wenn Sie das nicht waren, ändern Sie jetzt Ihr Passwort; das beendet alle anderen Sitzungen: {web}",
        ),
    ),
    LetterKind.LOCKED_OUT: Words(
        "Die Anmeldung an Ihrem Konto ruht",
        (
            "Jemand hat für Ihr Konto bei Signoff zu oft ein falsches Passwort versucht. Sie ruht nun eine Weile.",
            "Ab {until} ist sie wieder möglich.",
            "Wenn Sie das nicht waren, hat Ihr Passwort gehalten, und Sie brauchen nichts zu tun.",
        ),
    ),
    LetterKind.SECOND_FACTOR_CHANGED: Words(
        "Ihre Anmeldung wurde geändert",
        (
            "Ein zweiter Faktor Ihres Kontos bei Signoff wurde hinzugefügt, entfernt oder ersetzt.",
            "Was geändert wurde: {change}",
            "Wenn Sie das nicht waren, ändern Sie jetzt Ihr Passwort und prüfen Sie Ihre zweiten Faktoren: {web}",
        ),
    ),
    LetterKind.IDENTITY_LINKED: Words(
        "Es gibt einen weiteren Weg zur Anmeldung",
        (
            "Ab jetzt kann man sich bei Ihrem Konto bei Signoff auch über diesen Anbieter anmelden: {provider}",
            "Wenn Sie das nicht waren, melden Sie sich an, lösen Sie den Anbieter und beenden Sie jetzt alle anderen"
            " Sitzungen: {web}",
        ),
    ),
    LetterKind.INVITATION: Words(
        "Sie sind zu Signoff eingeladen",
        (
            "Sie sind eingeladen, bei Signoff mit anderen zu arbeiten.",
            "Wer Sie einlädt: {inviter}",
            "Organisation: {organisation}",
            "Arbeitsbereich: {workspace}",
            "Ihre Rolle: {role}",
            "Um anzunehmen, öffnen Sie innerhalb einer Woche diesen Link: {link}",
            "Wenn Sie nicht wissen, wer das ist, öffnen Sie ihn nicht.",
        ),
    ),
    LetterKind.OWNERSHIP_TRANSFERRED: Words(
        "Der Besitz wurde übertragen",
        (
            "Etwas bei Signoff, zu dem Sie gehören, wurde einer anderen Person übertragen.",
            "Organisation: {organisation}",
            "Arbeitsbereich: {workspace}",
            "Wem es jetzt gehört: {owner}",
        ),
    ),
    LetterKind.CONNECTION_NEEDS_YOU: Words(
        "Eine Verbindung braucht Sie",
        (
            "Eine Verbindung zu einer Plattform funktioniert nicht mehr. Über sie wird nichts veröffentlicht, bis"
            " jemand sie neu genehmigt: {web}",
            "Plattform: {platform}",
            "Konto: {handle}",
            "Arbeitsbereich: {workspace}",
        ),
    ),
    LetterKind.CONNECTION_ENDS: Words(
        "Eine Verbindung endet bald",
        (
            "Die Genehmigung einer Verbindung endet bald, und nur ein Mensch kann sie erneuern: {web}",
            "Plattform: {platform}",
            "Konto: {handle}",
            "Arbeitsbereich: {workspace}",
            "Sie endet um: {ends_at}",
        ),
    ),
    LetterKind.CONNECTION_WAITS: Words(
        "Eine Verbindung wartet auf ihre Plattform",
        (
            "Eine Plattform erneuert unseren Zugang gerade nicht, und der bisherige ist abgelaufen. Beiträge warten so"
            " lange, und wir fragen weiter. Dauert es an, kann eine neue Genehmigung helfen: {web}",
            "Plattform: {platform}",
            "Konto: {handle}",
            "Arbeitsbereich: {workspace}",
        ),
    ),
    LetterKind.ACCOUNT_DELETED: Words(
        "Ihr Konto ist gelöscht",
        (
            "Ihr Konto bei Signoff ist geschlossen, und was über Sie gespeichert ist, wird gelöscht.",
            "Unter dieser Nummer können Sie die Löschung verfolgen: {erasure_id}",
        ),
    ),
    LetterKind.POLICY_CHANGED: Words(
        "Unsere Datenschutzerklärung ändert sich",
        (
            "Die Datenschutzerklärung von Signoff ändert sich.",
            "Sie gilt ab {valid_from}.",
            "{summary}",
            "Hier können Sie sie lesen: {policy}",
        ),
    ),
    LetterKind.INCIDENT: Words(
        "Ein Vorfall, der Sie betrifft",
        (
            "Bei Signoff ist etwas geschehen, das Ihre Daten betrifft.",
            "{summary}",
            "Was Sie tun können: {advice}",
        ),
    ),
}
