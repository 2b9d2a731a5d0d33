// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fake/imap/fake_imap.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <utility>

namespace syncline::imap::testing {
namespace {

using Range = std::pair<std::uint64_t, std::uint64_t>;

std::vector<Range> ranges(const std::string& text, std::uint64_t star) {
  std::vector<Range> list;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) {
    const auto number = [&](const std::string& one) { return one == "*" ? star : std::stoull(one); };
    const std::size_t colon = part.find(':');
    const std::uint64_t first = number(part.substr(0, colon));
    const std::uint64_t last = colon == std::string::npos ? first : number(part.substr(colon + 1));
    list.emplace_back(std::min(first, last), std::max(first, last));
  }
  return list;
}

bool in(const std::vector<Range>& list, std::uint64_t number) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Range& range) { return number >= range.first && number <= range.second; });
}

std::string date_time(std::int64_t seconds) {
  using namespace std::chrono;
  static const char* const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds at{std::chrono::seconds(seconds)};
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss clock(at - day);
  char text[48];
  std::snprintf(text, sizeof text, "%2u-%s-%04d %02d:%02d:%02d +0000", static_cast<unsigned>(date.day()),
                months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

/// "5-Jan-2026" → days since the epoch.
std::int64_t day_of(const std::string& text) {
  using namespace std::chrono;
  static const std::string months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::size_t first = text.find('-');
  const std::string month_name = text.substr(first + 1, 3);
  const auto number = static_cast<unsigned>(months.find(month_name) / 3 + 1);
  const sys_days day_number = year(std::stoi(text.substr(first + 5))) / month(number) /
                              day(static_cast<unsigned>(std::stoi(text.substr(0, first))));
  return day_number.time_since_epoch().count();
}

/// "05-Jan-2026 08:00:00 +0000", of the zone that clients of ours write.
std::int64_t seconds_of(const std::string& text) {
  const std::size_t day_ends = text.find(' ', 2);
  const auto number = [&](std::size_t at) { return std::stoll(text.substr(day_ends + at, 2)); };
  return day_of(text.substr(0, day_ends)) * 86400 + number(1) * 3600 + number(4) * 60 + number(7);
}

std::string flags_text(const FakeMessage& message) {
  std::string text;
  for (const std::string& flag : message.flags) text += (text.empty() ? "" : " ") + flag;
  return "(" + text + ")";
}

std::string header_of(const std::string& text) {
  const std::size_t end = text.find("\r\n\r\n");
  return end == std::string::npos ? text : text.substr(0, end + 4);
}

std::string unquoted(const std::string& word) {
  if (word.size() < 2 || word.front() != '"') return word;
  return word.substr(1, word.size() - 2);
}

}  // namespace

FakeMessage& FakeFolder::add(std::string text, std::int64_t received) {
  messages.push_back({.uid = uid_next++, .modseq = ++modseq, .received = received, .text = std::move(text)});
  return messages.back();
}

void FakeFolder::expunge(std::uint32_t uid) {
  std::erase_if(messages, [&](const FakeMessage& one) { return one.uid == uid; });
  expunged[uid] = ++modseq;
}

void FakeFolder::flag(std::uint32_t uid, const std::string& flag, bool on) {
  FakeMessage* message = find(uid);
  if (message == nullptr) return;
  if (on)
    message->flags.insert(flag);
  else
    message->flags.erase(flag);
  message->modseq = ++modseq;
}

FakeMessage* FakeFolder::find(std::uint32_t uid) {
  const auto found =
      std::find_if(messages.begin(), messages.end(), [&](const FakeMessage& one) { return one.uid == uid; });
  return found == messages.end() ? nullptr : &*found;
}

struct FakeImap::Connection {
  std::string folder;
  bool qresync = false;
  std::string idle_tag = {};
  bool utf8 = false;
};

void FakeImap::listen(net::testing::VirtualWorld& world, std::uint16_t port, bool tls) {
  net::testing::VirtualEndpoint endpoint;
  endpoint.tls = tls;
  world.listen("imap.example.test", port, endpoint, [this, &world](net::StreamPtr stream, std::string) {
    world.spawn(talk(std::move(stream), connections++));
  });
}

std::size_t FakeImap::count(std::string_view beginning) const {
  return static_cast<std::size_t>(std::count_if(
      commands.begin(), commands.end(), [&](const std::string& one) { return one.starts_with(beginning); }));
}

net::asio::awaitable<void> FakeImap::talk(net::StreamPtr stream, std::size_t nth) {
  Peer peer(std::move(stream));
  Connection connection;
  most_open = std::max(most_open, ++open);
  struct Counted {
    std::uint64_t& open;
    ~Counted() { --open; }
  } const counted{open};
  if (heard) peer.on_hear = [this, nth](std::size_t octets) { heard(nth, octets); };
  const auto tell = [&](const std::string& to, const std::string& text) {
    if (said) said(nth, to, text.size());
  };
  std::string capabilities = "IMAP4rev1 LITERAL+ IDLE ENABLE SPECIAL-USE" + more_capabilities;
  if (has_uidplus) capabilities += " UIDPLUS";
  if (has_move) capabilities += " MOVE";
  if (modseq != Modseq::none) capabilities += " CONDSTORE";
  if (modseq == Modseq::qresync) capabilities += " QRESYNC";
  if (gmail) capabilities += " X-GM-EXT-1";
  const std::string greeting = "* OK [CAPABILITY " + capabilities + "] ready\r\n";
  tell("", greeting);
  if (!co_await peer.send(greeting)) co_return;
  for (;;) {
    auto line = co_await peer.line();
    if (!line) co_return;
    // Literals that need no asking are taken into the line.
    while (line->ends_with("+}")) {
      const std::size_t brace = line->rfind('{');
      const std::size_t octets = std::stoul(line->substr(brace + 1));
      auto literal = co_await peer.octets(octets);
      auto rest = co_await peer.line();
      if (!literal || !rest) co_return;
      *line = line->substr(0, brace) + "\x01" + *literal + "\x01" + *rest;
    }
    const std::string tag = tag_of(*line);
    const std::string command = command_of(*line);
    commands.push_back(command);
    if (drop_after_commands != 0 && commands.size() >= drop_after_commands) {
      drop_after_commands = 0;
      co_return;
    }
    std::string reply;
    std::optional<std::string> other = instead ? instead(tag, command) : std::nullopt;
    if (other)
      reply = std::move(*other);
    else if (command == "CAPABILITY")
      reply = "* CAPABILITY " + capabilities + "\r\n" + tag + " OK\r\n";
    else
      reply = answer(connection, tag, command);
    const bool cut = cut_after_octets != 0 && command.find("BODY.PEEK") != std::string::npos;
    if (cut) reply.resize(std::min(reply.size(), std::exchange(cut_after_octets, 0)));
    tell(command.substr(0, command.find('\x01')), reply);
    if (!co_await peer.send(reply)) co_return;
    if (cut || command == "LOGOUT") co_return;
  }
}

/// With names as `folders` has them, quoted; nullopt: octets that nobody may send yet.
std::optional<std::string> FakeImap::in_utf8(const Connection& connection, std::string line) const {
  for (const auto& [name, utf7] : utf7_names) {
    const std::string quoted = '"' + name + '"';
    const std::string literal = '\x01' + name + '\x01';
    if (const std::size_t at = line.find(literal); connection.utf8 && at != std::string::npos)
      line.replace(at, literal.size(), quoted);
    if (const std::size_t at = line.find('"' + utf7 + '"'); !connection.utf8 && at != std::string::npos)
      return line.replace(at, utf7.size() + 2, quoted);
  }
  const bool is_ascii =
      std::ranges::all_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!connection.utf8 && !is_ascii && !line.starts_with("APPEND")) return std::nullopt;
  return line;
}

std::string FakeImap::answer(Connection& connection, const std::string& tag, const std::string& line) {
  const std::string ok = tag + " OK done\r\n";
  const std::optional<std::string> read = in_utf8(connection, line);
  if (!read) return tag + " BAD eight-bit octets\r\n";
  const std::string& command = *read;
  if (command.starts_with("ENABLE")) {
    connection.qresync = command.find("QRESYNC") != std::string::npos;
    std::string enabled(connection.qresync ? " QRESYNC" : "");
    for (const std::string& one : can_enable)
      if ((command + " ").find(" " + one + " ") != std::string::npos) enabled += " " + one;
    connection.utf8 =
        enabled.find(" UTF8=ACCEPT") != std::string::npos || enabled.find(" IMAP4rev2") != std::string::npos;
    return "* ENABLED" + enabled + "\r\n" + ok;
  }
  if (command.starts_with("LIST")) {
    std::string reply;
    for (const auto& [name, folder] : folders) {
      const auto other = connection.utf8 ? utf7_names.end() : utf7_names.find(name);
      reply += "* LIST (" + folder.attributes + ") \"/\" \"" +
               (other == utf7_names.end() ? name : other->second) + "\"\r\n";
    }
    return reply + ok;
  }
  if (command == "LOGOUT") return "* BYE until then\r\n" + ok;
  if (command == "IDLE") {
    connection.idle_tag = tag;
    return "+ idling\r\n" + (in_idle ? in_idle() : std::string());
  }
  if (tag == "DONE") return connection.idle_tag + " OK done\r\n";
  if (command.starts_with("CREATE ")) {
    const std::string name = unquoted(command.substr(7));
    if (folders.contains(name)) return tag + " NO [ALREADYEXISTS] there is such a folder\r\n";
    folders[name];
    return ok;
  }
  if (command.starts_with("APPEND ")) return append(tag, command);
  if (command.starts_with("SELECT")) return select(connection, tag, command);
  const auto selected = folders.find(connection.folder);
  if (selected == folders.end()) return ok;
  FakeFolder& folder = selected->second;
  if (command.starts_with("UID SEARCH")) return search(folder, command) + ok;
  if (command.starts_with("UID FETCH") || command.starts_with("FETCH")) {
    bool refused = false;
    const std::string reply = fetch(folder, command, command.starts_with("UID"), refused);
    return reply + (refused ? tag + " NO [CORRUPTION] a message cannot be read\r\n" : ok);
  }
  if (command.starts_with("UID EXPUNGE ")) {
    const auto wanted = ranges(command.substr(12), folder.uid_next - 1);
    std::vector<std::uint32_t> uids;
    for (const FakeMessage& message : folder.messages)
      if (in(wanted, message.uid) && message.flags.contains("\\Deleted")) uids.push_back(message.uid);
    std::string reply;
    for (const std::uint32_t uid : uids) {
      folder.expunge(uid);
      if (connection.qresync) reply += "* VANISHED " + std::to_string(uid) + "\r\n";
    }
    return reply + ok;
  }
  if (command.starts_with("UID STORE") || command.starts_with("UID MOVE") ||
      command.starts_with("UID COPY")) {
    std::istringstream words(command);
    std::string uid;
    std::string verb;
    std::string set;
    std::string rest;
    words >> uid >> verb >> set;
    std::getline(words, rest);
    const auto wanted = ranges(set, folder.uid_next - 1);
    std::vector<std::uint32_t> uids;
    for (const FakeMessage& message : folder.messages)
      if (in(wanted, message.uid)) uids.push_back(message.uid);
    std::string reply;
    for (const std::uint32_t one : uids) {
      if (verb == "STORE") {
        const std::size_t open = rest.find('(');
        const std::string flag = rest.substr(open + 1, rest.find(')') - open - 1);
        folder.flag(one, flag, rest.find("+FLAGS") != std::string::npos);
        continue;
      }
      FakeFolder& target = folders[unquoted(rest.substr(1))];
      FakeMessage copy = *folder.find(one);
      copy.uid = target.uid_next++;
      copy.modseq = ++target.modseq;
      if (has_uidplus)
        reply += "* OK [COPYUID " + std::to_string(target.uid_validity) + " " + std::to_string(one) + " " +
                 std::to_string(copy.uid) + "] done\r\n";
      target.messages.push_back(std::move(copy));
      if (verb == "MOVE") {
        folder.expunge(one);
        reply += "* VANISHED " + std::to_string(one) + "\r\n";
      }
    }
    return reply + ok;
  }
  return ok;
}

std::string FakeImap::select(Connection& connection, const std::string& tag, const std::string& command) {
  const std::size_t first = command.find('"');
  const std::size_t last = command.find('"', first + 1);
  const std::string name = command.substr(first + 1, last - first - 1);
  const auto found = folders.find(name);
  if (found == folders.end()) {
    connection.folder.clear();
    return tag + " NO [NONEXISTENT] no such folder\r\n";
  }
  FakeFolder& folder = found->second;
  connection.folder = name;
  std::string reply = "* FLAGS (\\Seen \\Deleted)\r\n* " + std::to_string(folder.messages.size()) +
                      " EXISTS\r\n" + "* OK [UIDVALIDITY " + std::to_string(folder.uid_validity) + "] x\r\n";
  if (says_uid_next) reply += "* OK [UIDNEXT " + std::to_string(folder.uid_next) + "] x\r\n";
  if (modseq == Modseq::none)
    reply += "* OK [NOMODSEQ] x\r\n";
  else
    reply += "* OK [HIGHESTMODSEQ " + std::to_string(folder.modseq) + "] x\r\n";
  const std::size_t resume = command.find("QRESYNC (");
  if (resume != std::string::npos) {
    std::istringstream words(command.substr(resume + 9));
    std::uint32_t validity = 0;
    std::uint64_t since = 0;
    words >> validity >> since;
    if (validity == folder.uid_validity) {
      std::string gone = lies_vanished;
      if (gone.empty() && !forgets_vanished)
        for (const auto& [uid, when] : folder.expunged)
          if (when > since) gone += (gone.empty() ? "" : ",") + std::to_string(uid);
      if (!gone.empty()) reply += "* VANISHED (EARLIER) " + gone + "\r\n";
      for (std::size_t i = 0; i < folder.messages.size(); ++i) {
        const FakeMessage& message = folder.messages[i];
        if (message.modseq > since && !message.hidden)
          reply += "* " + std::to_string(i + 1) + " FETCH (UID " + std::to_string(message.uid) + " FLAGS " +
                   flags_text(message) + " MODSEQ (" + std::to_string(message.modseq) + "))\r\n";
      }
    }
  }
  return reply + tag + " OK [READ-WRITE] selected\r\n";
}

/// `APPEND "Sent" (\Seen) "date" <literal>`, the literal between two octets 1.
std::string FakeImap::append(const std::string& tag, const std::string& command) {
  const std::size_t literal = command.find('\x01');
  const std::size_t end = command.rfind('\x01');
  const std::string head = command.substr(0, literal);
  const std::size_t open = head.find('(');
  const auto found = folders.find(unquoted(head.substr(7, open - 8)));
  if (literal == std::string::npos || found == folders.end())
    return tag + " NO [TRYCREATE] no such folder\r\n";
  const std::size_t date = head.find('"', head.find(')'));
  FakeFolder& folder = found->second;
  FakeMessage& made =
      folder.add(command.substr(literal + 1, end - literal - 1), seconds_of(head.substr(date + 1, 26)));
  std::istringstream flags(head.substr(open + 1, head.find(')') - open - 1));
  for (std::string flag; flags >> flag;) made.flags.insert(flag);
  if (!has_uidplus) return tag + " OK done\r\n";
  return tag + " OK [APPENDUID " + std::to_string(folder.uid_validity) + " " + std::to_string(made.uid) +
         "] done\r\n";
}

std::string FakeImap::search(FakeFolder& folder, const std::string& command) {
  std::istringstream words(command);
  std::string word;
  words >> word >> word;
  std::vector<Range> uids = {{1, ~std::uint64_t{0}}};
  std::int64_t since = 0;
  std::int64_t before = std::int64_t{1} << 40;
  std::uint64_t larger = 0;
  std::uint64_t smaller = ~std::uint64_t{0};
  std::uint64_t gmail_id = 0;
  std::string field;
  std::string value;
  const std::uint64_t star = folder.messages.empty() ? 0 : folder.messages.back().uid;
  while (words >> word) {
    std::string next;
    if (word == "ALL") continue;
    words >> next;
    if (word == "UID") uids = ranges(next, star);
    if (word == "SINCE") since = day_of(next);
    if (word == "BEFORE") before = day_of(next);
    if (word == "LARGER") larger = std::stoull(next);
    if (word == "SMALLER") smaller = std::stoull(next);
    if (word == "X-GM-MSGID") gmail_id = std::stoull(next);
    if (word == "HEADER") {
      field = next;
      words >> value;
      value = unquoted(value);
      std::erase(value, '\x01');
    }
  }
  if (!lies_found.empty()) return "* ESEARCH (TAG \"s\") UID ALL " + lies_found + "\r\n";
  std::string reply = "* SEARCH";
  std::size_t found = 0;
  for (const FakeMessage& message : folder.messages) {
    const std::int64_t day = message.received / 86400;
    if (message.hidden || !in(uids, message.uid) || day < since || day >= before ||
        message.text.size() <= larger || message.text.size() >= smaller ||
        (gmail_id != 0 && message.gmail_id != gmail_id))
      continue;
    if (!field.empty() && header_of(message.text).find(field + ": " + value) == std::string::npos) continue;
    if (++found > most_found) break;
    reply += " " + std::to_string(message.uid);
  }
  return reply + "\r\n";
}

std::string FakeImap::fetch(FakeFolder& folder, const std::string& command, bool by_uid, bool& refused) {
  std::istringstream words(command);
  std::string word;
  std::string set;
  words >> word;
  if (by_uid) words >> word;
  words >> set;
  const std::uint64_t star = folder.messages.empty() ? 0 : folder.messages.back().uid;
  const auto wanted = ranges(set, star);
  std::uint64_t since = 0;
  if (const std::size_t at = command.find("CHANGEDSINCE "); at != std::string::npos)
    since = std::stoull(command.substr(at + 13));
  const auto asks = [&](const char* item) { return command.find(item) != std::string::npos; };
  std::string reply;
  for (std::size_t i = 0; i < folder.messages.size(); ++i) {
    const FakeMessage& message = folder.messages[i];
    if (message.hidden || !in(wanted, by_uid ? message.uid : i + 1) || message.modseq <= since) continue;
    if (message.unreadable && asks("BODY.PEEK")) {
      refused = true;
      continue;
    }
    std::string items = "UID " + std::to_string(message.uid);
    if (asks("FLAGS")) items += " FLAGS " + flags_text(message);
    if (asks("INTERNALDATE")) items += " INTERNALDATE \"" + date_time(message.received) + "\"";
    if (asks("RFC822.SIZE")) items += " RFC822.SIZE " + std::to_string(message.text.size());
    if (asks("X-GM-MSGID")) items += " X-GM-MSGID " + std::to_string(message.gmail_id);
    if (asks("X-GM-LABELS")) items += " X-GM-LABELS (" + message.gmail_labels + ")";
    if (asks("BODYSTRUCTURE"))
      items += " BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 5 1)";
    const auto literal = [&](const std::string& name, const std::string& text) {
      items += " " + name + " {" + std::to_string(text.size()) + "}\r\n" + text;
    };
    if (asks("BODY.PEEK[]")) {
      literal("BODY[]", message.text);
      ++given_whole;
    }
    if (asks("BODY.PEEK[HEADER]")) literal("BODY[HEADER]", header_of(message.text));
    if (asks("BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]")) {
      const std::size_t at = message.text.find("Message-ID:");
      const std::string line =
          at == std::string::npos ? "" : message.text.substr(at, message.text.find("\r\n", at) + 2 - at);
      literal("BODY[HEADER.FIELDS (MESSAGE-ID)]", line + "\r\n");
    }
    reply += "* " + std::to_string(i + 1) + " FETCH (" + items + ")\r\n";
  }
  return reply;
}

}  // namespace syncline::imap::testing
