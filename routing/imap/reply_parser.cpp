// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/reply_parser.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "routing/imap/internal_date.hpp"

namespace syncline::imap {
namespace {

using text::equals_ignore_case;

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::optional<Condition> condition_of(std::string_view word) noexcept {
  if (equals_ignore_case(word, "OK")) return Condition::ok;
  if (equals_ignore_case(word, "NO")) return Condition::no;
  if (equals_ignore_case(word, "BAD")) return Condition::bad;
  if (equals_ignore_case(word, "BYE")) return Condition::bye;
  if (equals_ignore_case(word, "PREAUTH")) return Condition::preauth;
  return std::nullopt;
}

/// The first word of `line`, which is shortened by it and by the blanks behind.
std::string_view take_word(std::string_view& line) noexcept {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  while (line.starts_with(' ')) line.remove_prefix(1);
  return word;
}

/// "[CODE arguments] text". A bracket without an end is text.
void take_code(std::string_view rest, StatusReply& status) {
  if (rest.starts_with('[')) {
    bool quoted = false;
    for (std::size_t i = 1; i < rest.size(); ++i) {
      const char c = rest[i];
      if (quoted && c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ']' && !quoted) {
        std::string_view inside = rest.substr(1, i - 1);
        status.code.name = upper(take_word(inside));
        status.code.arguments = std::string(text::trim(inside));
        rest.remove_prefix(i + 1);
        break;
      }
    }
  }
  status.text = std::string(text::trim(rest));
}

std::vector<std::string> rest_in_upper(TokenCursor& cursor) {
  std::vector<std::string> names;
  while (const auto name = cursor.take_text()) names.push_back(upper(*name));
  return names;
}

/// "(\Seen $Forwarded)"; nullopt where no list is.
std::optional<std::vector<std::string>> take_words(TokenCursor& cursor) {
  if (!cursor.take_open()) return std::nullopt;
  std::vector<std::string> words;
  while (!cursor.at_close()) {
    const auto word = cursor.take_text();
    if (!word) return std::nullopt;
    words.emplace_back(*word);
  }
  cursor.take_close();
  return words;
}

Reply parse_list(TokenCursor& cursor, bool subscribed_only) {
  auto attributes = take_words(cursor);
  const auto delimiter = cursor.take_nstring();
  const auto name = cursor.take_text();
  if (!attributes || !delimiter || !name) return OtherReply{"LIST"};
  ListReply list;
  for (std::string& attribute : *attributes) list.attributes.push_back(text::to_lower_ascii(attribute));
  if (*delimiter && !(*delimiter)->empty()) list.delimiter = (*delimiter)->front();
  list.name = std::string(*name);
  list.subscribed_only = subscribed_only;
  return list;
}

Reply parse_mailbox_status(TokenCursor& cursor) {
  const auto name = cursor.take_text();
  if (!name || !cursor.take_open()) return OtherReply{"STATUS"};
  MailboxStatusReply status{.name = std::string(*name)};
  while (!cursor.at_close()) {
    const auto item = cursor.take_atom();
    const auto value = cursor.take_number();
    if (!item) return OtherReply{"STATUS"};
    if (value)
      status.items[upper(*item)] = *value;
    else
      cursor.skip();  // MAILBOXID (…)
  }
  return status;
}

Result<Reply> parse_search(TokenCursor& cursor) {
  SearchReply search;
  std::vector<Uid> numbers;
  while (!cursor.done()) {
    if (cursor.take_open()) {
      const auto word = cursor.take_atom();
      const auto modseq = cursor.take_number();
      if (word && modseq && equals_ignore_case(*word, "MODSEQ")) search.modseq = *modseq;
      break;
    }
    const auto number = cursor.take_number();
    if (!number || *number == 0 || *number > 0xFFFFFFFFU)
      return fail(ErrorDomain::mail, "bad-response",
                  "the IMAP server's search result holds what is no number");
    numbers.push_back(static_cast<Uid>(*number));
  }
  search.numbers = UidSet::of(std::move(numbers));
  return Reply(std::move(search));
}

Result<Reply> parse_esearch(TokenCursor& cursor, const Limits& limits) {
  EsearchReply search;
  if (cursor.take_open()) {
    const auto word = cursor.take_atom();
    const auto tag = cursor.take_text();
    if (word && tag && equals_ignore_case(*word, "TAG")) search.tag = std::string(*tag);
    while (!cursor.at_close() && !cursor.done()) cursor.skip();
    cursor.take_close();
  }
  while (const auto name = cursor.take_atom()) {
    if (equals_ignore_case(*name, "UID")) {
      search.uid = true;
    } else if (equals_ignore_case(*name, "ALL")) {
      const auto text = cursor.take_text();
      auto set = text ? UidSet::parse(*text, limits.elements) : std::nullopt;
      if (!set)
        return fail(ErrorDomain::mail, "bad-response",
                    "the IMAP server's search result is no set of numbers");
      search.all = std::move(*set);
    } else if (equals_ignore_case(*name, "COUNT")) {
      search.count = cursor.take_number();
    } else if (equals_ignore_case(*name, "MODSEQ")) {
      search.modseq = cursor.take_number().value_or(0);
    } else {
      cursor.skip();
    }
  }
  return Reply(std::move(search));
}

Result<Reply> parse_vanished(TokenCursor& cursor, const Limits& limits) {
  VanishedReply vanished;
  if (cursor.take_open()) {
    const auto word = cursor.take_atom();
    vanished.earlier = word && equals_ignore_case(*word, "EARLIER");
    while (!cursor.at_close() && !cursor.done()) cursor.skip();
    cursor.take_close();
  }
  const auto text = cursor.take_text();
  auto uids = text ? UidSet::parse(*text, limits.elements) : std::nullopt;
  // A lost VANISHED is a message that stays for ever: better no session than that.
  if (!uids) return fail(ErrorDomain::mail, "bad-response", "the IMAP server's VANISHED is no set of UIDs");
  vanished.uids = std::move(*uids);
  return Reply(std::move(vanished));
}

void take_fetch_item(TokenCursor& cursor, std::string_view name, FetchReply& fetch) {
  if (equals_ignore_case(name, "UID")) {
    const auto uid = cursor.take_number();
    if (uid && *uid <= 0xFFFFFFFFU) fetch.uid = static_cast<Uid>(*uid);
  } else if (equals_ignore_case(name, "FLAGS")) {
    fetch.flags = take_words(cursor);
  } else if (equals_ignore_case(name, "MODSEQ")) {
    if (cursor.take_open()) {
      fetch.modseq = cursor.take_number();
      while (!cursor.at_close() && !cursor.done()) cursor.skip();
      cursor.take_close();
    } else {
      fetch.modseq = cursor.take_number();
    }
  } else if (equals_ignore_case(name, "RFC822.SIZE")) {
    fetch.size = cursor.take_number();
  } else if (equals_ignore_case(name, "INTERNALDATE")) {
    if (const auto date = cursor.take_text()) fetch.internal_date = parse_internal_date(*date);
  } else if (equals_ignore_case(name, "X-GM-MSGID")) {
    fetch.gmail_message_id = cursor.take_number();
  } else if (equals_ignore_case(name, "X-GM-THRID")) {
    fetch.gmail_thread_id = cursor.take_number();
  } else if (equals_ignore_case(name, "X-GM-LABELS")) {
    fetch.gmail_labels = take_words(cursor);
  } else if (equals_ignore_case(name, "EMAILID")) {
    if (cursor.take_open()) {
      if (const auto id = cursor.take_text()) fetch.email_id = std::string(*id);
      while (!cursor.at_close() && !cursor.done()) cursor.skip();
      cursor.take_close();
    }
  } else if (equals_ignore_case(name, "BODYSTRUCTURE")) {
    fetch.structure = take_body_structure(cursor);
    fetch.structure_unreadable = !fetch.structure;
  } else if (const std::string lower = text::to_lower_ascii(name.substr(0, 8));
             lower.starts_with("body[") || lower.starts_with("binary[") || lower.starts_with("rfc822")) {
    FetchedSection section{.name = std::string(name)};
    const Token* value = cursor.peek();
    if (value != nullptr && value->kind == TokenKind::streamed) {
      section.streamed = true;
      cursor.skip();
    } else if (const auto text = cursor.take_nstring(); text && *text) {
      section.value = std::string(**text);
    }
    fetch.sections.push_back(std::move(section));
  } else {
    cursor.skip();
  }
}

Result<Reply> parse_fetch(TokenCursor& cursor, std::uint64_t sequence) {
  FetchReply fetch;
  fetch.sequence = sequence;
  if (!cursor.take_open())
    return fail(ErrorDomain::mail, "bad-response", "the IMAP server's FETCH reply holds no list");
  while (!cursor.at_close()) {
    const auto name = cursor.take_atom();
    if (!name)
      return fail(ErrorDomain::mail, "bad-response", "the IMAP server's FETCH reply does not name its items");
    // Of a value that is not what its name promises only that value is lost.
    TokenCursor value = cursor;
    cursor.skip();
    take_fetch_item(value, *name, fetch);
  }
  return Reply(std::move(fetch));
}

}  // namespace

std::string_view to_string(Condition condition) noexcept {
  switch (condition) {
    case Condition::ok:
      return "OK";
    case Condition::no:
      return "NO";
    case Condition::bad:
      return "BAD";
    case Condition::bye:
      return "BYE";
    case Condition::preauth:
      return "PREAUTH";
  }
  return "";
}

bool is_status_line(std::string_view line) noexcept {
  if (!line.starts_with('*')) return true;
  line.remove_prefix(1);
  while (line.starts_with(' ')) line.remove_prefix(1);
  return condition_of(take_word(line)).has_value();
}

Result<Reply> parse_status_line(std::string_view line) {
  if (line.starts_with('+')) {
    line.remove_prefix(1);
    return Reply(ContinuationReply{std::string(text::trim(line))});
  }
  if (line.empty()) return Reply(OtherReply{});
  StatusReply status;
  const std::string_view tag = take_word(line);
  if (tag != "*") status.tag = std::string(tag);
  const auto condition = condition_of(take_word(line));
  if (tag.empty() || !condition || (tag != "*" && *condition > Condition::bad))
    return fail(ErrorDomain::mail, "bad-response", "the IMAP server sent a line that is no reply");
  status.condition = *condition;
  take_code(line, status);
  return Reply(std::move(status));
}

Result<Reply> parse_data(const Tokens& tokens, const Limits& limits) {
  TokenCursor cursor(tokens, 1);  // behind "*"
  const auto first = cursor.take_atom();
  if (!first) return Reply(OtherReply{});
  if (const auto number = parse_number(*first)) {
    const auto name = cursor.take_atom();
    if (!name) return Reply(OtherReply{});
    if (equals_ignore_case(*name, "FETCH")) return parse_fetch(cursor, *number);
    if (equals_ignore_case(*name, "EXISTS")) return Reply(ExistsReply{*number});
    if (equals_ignore_case(*name, "EXPUNGE")) return Reply(ExpungeReply{*number});
    return Reply(OtherReply{upper(*name)});
  }
  if (equals_ignore_case(*first, "CAPABILITY")) return Reply(CapabilityReply{rest_in_upper(cursor)});
  if (equals_ignore_case(*first, "ENABLED")) return Reply(EnabledReply{rest_in_upper(cursor)});
  if (equals_ignore_case(*first, "LIST")) return parse_list(cursor, false);
  if (equals_ignore_case(*first, "LSUB")) return parse_list(cursor, true);
  if (equals_ignore_case(*first, "STATUS")) return parse_mailbox_status(cursor);
  if (equals_ignore_case(*first, "SEARCH")) return parse_search(cursor);
  if (equals_ignore_case(*first, "ESEARCH")) return parse_esearch(cursor, limits);
  if (equals_ignore_case(*first, "VANISHED")) return parse_vanished(cursor, limits);
  if (equals_ignore_case(*first, "FLAGS"))
    return Reply(FlagsReply{take_words(cursor).value_or(std::vector<std::string>{})});
  return Reply(OtherReply{upper(*first)});
}

}  // namespace syncline::imap
