// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/reply_error.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::imap {
namespace {

constexpr auto never = RetryClass::never;
constexpr auto after = RetryClass::after;
constexpr auto reauthenticate = RetryClass::reauthenticate;

// Codes that only come with OK stand here too: a server may send any of them with NO.
constexpr CodeMeaning meanings[] = {
    {"ALERT", never, "ALERT"},
    {"ALREADYEXISTS", never, "ALREADYEXISTS"},
    {"ANNOTATE", never, "ANNOTATE"},
    {"ANNOTATIONS", never, "ANNOTATIONS"},
    {"APPENDUID", never, "APPENDUID"},
    {"AUTHENTICATIONFAILED", reauthenticate, "credentials-refused"},
    // The sign-in was right, the mailbox is not this user's.
    {"AUTHORIZATIONFAILED", reauthenticate, "not-authorised"},
    {"BADCHARSET", never, "BADCHARSET"},
    {"BADCOMPARATOR", never, "BADCOMPARATOR"},
    {"BADEVENT", never, "BADEVENT"},
    {"BADURL", never, "BADURL"},
    {"CANNOT", never, "CANNOT"},
    {"CAPABILITY", never, "CAPABILITY"},
    {"CLIENTBUG", never, "CLIENTBUG"},
    {"CLOSED", never, "CLOSED"},
    {"COMPRESSIONACTIVE", never, "COMPRESSIONACTIVE"},
    {"CONTACTADMIN", never, "CONTACTADMIN"},
    {"COPYUID", never, "COPYUID"},
    {"CORRUPTION", RetryClass::quarantine, "CORRUPTION"},
    {"EXPIRED", reauthenticate, "credentials-refused"},
    {"EXPUNGEISSUED", RetryClass::now, "EXPUNGEISSUED"},
    {"HASCHILDREN", never, "HASCHILDREN"},
    {"HIGHESTMODSEQ", never, "HIGHESTMODSEQ"},
    {"INPROGRESS", after, "INPROGRESS"},
    {"INUSE", after, "INUSE"},
    // Connections, commands in an hour: all pass.
    {"LIMIT", after, "LIMIT"},
    {"MAILBOXID", never, "MAILBOXID"},
    {"MAXCONVERTMESSAGES", never, "MAXCONVERTMESSAGES"},
    {"MAXCONVERTPARTS", never, "MAXCONVERTPARTS"},
    {"MESSAGELIMIT", after, "MESSAGELIMIT"},
    {"METADATA", never, "METADATA"},
    {"MODIFIED", RetryClass::now, "conflict"},
    {"NEWNAME", never, "NEWNAME"},
    {"NOMODSEQ", never, "NOMODSEQ"},
    {"NONEXISTENT", never, "gone"},
    {"NOPERM", never, "NOPERM"},
    {"NOTIFICATIONOVERFLOW", RetryClass::resync, "NOTIFICATIONOVERFLOW"},
    {"NOTSAVED", never, "NOTSAVED"},
    {"NOUPDATE", never, "NOUPDATE"},
    // Gmail says it of bandwidth, others of space: both are waited for, and told.
    {"OVERQUOTA", after, "OVERQUOTA"},
    {"PARSE", RetryClass::quarantine, "PARSE"},
    {"PERMANENTFLAGS", never, "PERMANENTFLAGS"},
    {"PRIVACYREQUIRED", never, "PRIVACYREQUIRED"},
    {"READ-ONLY", never, "READ-ONLY"},
    {"READ-WRITE", never, "READ-WRITE"},
    {"REFERRAL", RetryClass::rediscover, "REFERRAL"},
    {"SAVELIMIT", never, "SAVELIMIT"},
    {"SERVERBUG", after, "SERVERBUG"},
    {"TEMPFAIL", after, "TEMPFAIL"},
    {"THROTTLED", after, "THROTTLED"},
    {"TOOBIG", never, "TOOBIG"},
    {"TRYCREATE", never, "TRYCREATE"},
    {"UIDNEXT", never, "UIDNEXT"},
    {"UIDNOTSTICKY", never, "UIDNOTSTICKY"},
    {"UIDREQUIRED", never, "UIDREQUIRED"},
    {"UIDVALIDITY", never, "UIDVALIDITY"},
    {"UNAVAILABLE", after, "UNAVAILABLE"},
    {"UNDEFINED-FILTER", never, "UNDEFINED-FILTER"},
    {"UNKNOWN-CTE", RetryClass::quarantine, "UNKNOWN-CTE"},
    {"UNSEEN", never, "UNSEEN"},
    {"URLMECH", never, "URLMECH"},
    {"USEATTR", never, "USEATTR"},
    // Gmail: a person must sign in with a browser first.
    {"WEBALERT", reauthenticate, "WEBALERT"},
};

bool contains(std::string_view text, std::string_view lower) {
  return text::to_lower_ascii(text).find(lower) != std::string::npos;
}

/// What servers without RFC 5530 only say in words.
void judge_text(const StatusReply& reply, Asked asked, Error& error) {
  if (contains(reply.text, "authenticated but not connected")) {
    error.code = "not-authorised";
    error.retry = reauthenticate;
  } else if (contains(reply.text, "too many") || contains(reply.text, "rate limit") ||
             contains(reply.text, "throttl")) {
    error.code = "THROTTLED";
    error.retry = after;
  } else if (contains(reply.text, "try again") || contains(reply.text, "temporar")) {
    error.retry = after;
  } else if (asked == Asked::mailbox && reply.condition == Condition::no &&
             (contains(reply.text, "doesn't exist") || contains(reply.text, "does not exist") ||
              contains(reply.text, "unknown mailbox") || contains(reply.text, "not found") ||
              contains(reply.text, "nonexistent") || contains(reply.text, "no such"))) {
    error.code = "gone";
  }
}

}  // namespace

std::span<const CodeMeaning> code_meanings() noexcept {
  return meanings;
}

Error reply_error(const StatusReply& reply, Asked asked) {
  Error error{.domain = ErrorDomain::mail, .code = std::string(to_string(reply.condition))};
  error.message = "the IMAP server answers " + error.code + ": " +
                  (reply.text.empty() ? std::string("(without a reason)") : reply.text);
  error.retry = reply.condition == Condition::bye ? after : never;
  const auto found = std::find_if(std::begin(meanings), std::end(meanings),
                                  [&](const CodeMeaning& meaning) { return reply.code.is(meaning.code); });
  if (found != std::end(meanings)) {
    error.message += " [" + reply.code.name + "]";
    error.code = std::string(found->known_as);
    if (reply.condition != Condition::bye || found->retry != never) error.retry = found->retry;
    // An alert stands for whatever its text says.
    if (found->code == "ALERT") judge_text(reply, asked, error);
    if (found->code == "OVERQUOTA" && contains(reply.text, "bandwidth")) error.code = "THROTTLED";
    // Of a message it is the message, of the sign-in or a folder the whole server.
    if (error.retry == RetryClass::quarantine && asked != Asked::messages) error.retry = after;
    if (found->known_as == "gone" && asked == Asked::sign_in) error.code = "credentials-refused";
  } else {
    judge_text(reply, asked, error);
  }
  if (asked == Asked::sign_in && reply.condition == Condition::no && error.retry == never &&
      (found == std::end(meanings) || found->code == "ALERT")) {
    error.code = "credentials-refused";
    error.retry = reauthenticate;
  }
  return error;
}

}  // namespace syncline::imap
