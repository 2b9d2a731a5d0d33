// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/client.hpp"

#include <algorithm>
#include <deque>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "routing/imap/internal_date.hpp"

namespace syncline::imap {
namespace {

/// RFC 7162 section 4 wants command lines of 8192 octets to be taken; sets are kept well below.
constexpr std::size_t set_octets = 6000;
/// A longer initial response waits for the server's challenge.
constexpr std::size_t initial_response_octets = 4096;
/// In a server without IDLE.
constexpr std::chrono::seconds poll_interval{60};

/// Collects the replies of one type.
template <class T>
class Collect final : public ReplyHandler {
 public:
  explicit Collect(std::size_t most = 1'000'000) : most_(most) {}
  Result<void> on_reply(Reply& reply) override {
    auto* one = std::get_if<T>(&reply);
    if (one == nullptr) return {};
    if (replies.size() >= most_)
      return fail(ErrorDomain::mail, "too-many-replies", "the IMAP server lists without an end");
    replies.push_back(std::move(*one));
    return {};
  }
  std::vector<T> replies;

 private:
  std::size_t most_;
};

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> list;
  for (const std::string_view word : text::split(text, ' '))
    if (!word.empty()) list.emplace_back(word);
  return list;
}

std::uint64_t number_of(const ResponseCode& code) {
  return parse_number(code.arguments).value_or(0);
}

/// 0 for what is no number of 32 bits.
std::uint32_t short_number_of(const ResponseCode& code) {
  const std::uint64_t number = number_of(code);
  return number > 0xFFFFFFFFU ? 0 : static_cast<std::uint32_t>(number);
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::vector<std::string> flags_in(std::string_view list) {
  if (list.starts_with('(')) list.remove_prefix(1);
  if (list.ends_with(')')) list.remove_suffix(1);
  return words(list);
}

/// COPYUID, in the tagged OK or, of MOVE, in an untagged one before (RFC 6851 section 4.3).
class CopiedHandler final : public ReplyHandler {
 public:
  Result<void> on_reply(Reply& reply) override {
    if (const auto* status = std::get_if<StatusReply>(&reply)) take(*status);
    return {};
  }
  void take(const StatusReply& status) {
    if (!status.code.is("COPYUID")) return;
    const auto parts = words(status.code.arguments);
    if (parts.size() != 3) return;
    const auto validity = parse_number(parts[0]);
    auto from = UidSet::parse(parts[1], 100'000);
    auto to = UidSet::parse(parts[2], 100'000);
    if (!validity || !from || !to) return;
    copied.uid_validity = static_cast<std::uint32_t>(*validity);
    copied.from.add(*from);
    copied.to.add(*to);
  }
  Copied copied;
};

}  // namespace

void Capabilities::set(const std::vector<std::string>& names) {
  names_.clear();
  for (const std::string& name : names) names_.insert(upper(name));
}

std::vector<std::string> Capabilities::mechanisms() const {
  std::vector<std::string> list;
  for (const std::string& name : names_)
    if (name.starts_with("AUTH=")) list.push_back(name.substr(5));
  return list;
}

bool Folder::has(std::string_view attribute) const {
  return std::find(attributes.begin(), attributes.end(), attribute) != attributes.end();
}

Client::Client(net::Environment& environment, std::unique_ptr<Session> session, ClientSettings settings)
    : environment_(environment), session_(std::move(session)), settings_(std::move(settings)) {
  session_->set_observer([this](const Reply& reply) { observe(reply); });
}

void Client::observe(const Reply& reply) {
  if (const auto* capabilities = std::get_if<CapabilityReply>(&reply)) {
    capabilities_.set(capabilities->names);
    announced_ = true;
  } else if (const auto* vanished = std::get_if<VanishedReply>(&reply)) {
    vanished_.add(vanished->uids);
    if (selected_ && !vanished->earlier) {
      const std::uint64_t count = vanished->uids.size();
      selected_->exists -= std::min(selected_->exists, count);
    }
  } else if (const auto* exists = std::get_if<ExistsReply>(&reply)) {
    if (selected_) selected_->exists = exists->count;
  } else if (std::holds_alternative<ExpungeReply>(reply)) {
    if (selected_ && selected_->exists > 0) --selected_->exists;
  } else if (const auto* status = std::get_if<StatusReply>(&reply)) {
    if (status->code.is("CAPABILITY")) {
      capabilities_.set(words(status->code.arguments));
      announced_ = true;
    }
  }
}

UidSet Client::take_vanished() {
  return std::exchange(vanished_, {});
}

Async<void> Client::run(Command command, Asked asked) {
  auto done = co_await session_->run(std::move(command), asked);
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<void>{};
}

Async<void> Client::ask_capabilities() {
  announced_ = false;
  Command command("CAPABILITY");
  auto done = co_await run(std::move(command), Asked::other);
  co_return done;
}

Async<void> Client::greet() {
  auto greeting = co_await session_->greeting();
  if (!greeting) co_return fail(std::move(greeting.error()));
  Reply reply(*greeting);
  observe(reply);
  signed_in_ = greeting->condition == Condition::preauth;
  if (!announced_) co_return co_await ask_capabilities();
  co_return Result<void>{};
}

Async<net::StreamPtr> Client::start_tls() {
  if (signed_in_)
    // Whoever could put PREAUTH there wants the session to go on in the clear.
    co_return fail(ErrorDomain::tls, "starttls-preauth",
                   "the server greets as if we had signed in already, before TLS was begun");
  if (!capabilities_.has("STARTTLS"))
    co_return fail(ErrorDomain::tls, "no-starttls", "the IMAP server does not offer STARTTLS");
  Command command("STARTTLS");
  auto done = co_await run(std::move(command), Asked::other);
  if (!done) co_return fail(std::move(done.error()));
  co_return session_->take_stream();
}

Async<void> Client::secured(net::StreamPtr stream) {
  session_->put_stream(std::move(stream));
  // What was said before TLS may have been anybody's word (RFC 9051 section 11.1).
  capabilities_.set({});
  co_return co_await ask_capabilities();
}

Async<void> Client::log_in(const SignIn& login) {
  Command command("LOGIN");
  const Secret user(std::string_view(login.identity.user));
  command.secret(user).secret(*login.identity.password);
  auto done = co_await session_->run(std::move(command), Asked::sign_in);
  if (!done) co_return fail(std::move(done.error()));
  if (done->code.is("CAPABILITY")) {
    Reply reply(std::move(*done));
    observe(reply);
  }
  co_return Result<void>{};
}

Async<void> Client::authenticate(const SignIn& login, const auth::SaslOffer& offer) {
  auto chosen = auth::choose_sasl(offer, login.identity, login.policy, login.blocking);
  if (!chosen) co_return fail(std::move(chosen.error()));
  auth::SaslExchange& exchange = **chosen;
  for (bool renewed = false;; renewed = true) {
    Command command("AUTHENTICATE");
    command.word(exchange.mechanism());
    std::optional<Secret> first;
    if (exchange.client_first() && capabilities_.has("SASL-IR")) {
      std::string nothing;
      auto response = co_await exchange.respond(std::move(nothing));
      if (!response) co_return fail(std::move(response.error()));
      first = response->reveal().empty() ? Secret(std::string_view("="))
                                         : Secret(base64_encode(response->reveal()));
      if (first->reveal().size() <= initial_response_octets) {
        command.initial_response(*first);
        first.reset();
      }
    }
    auto tag = co_await session_->send(std::move(command));
    if (!tag) co_return fail(std::move(tag.error()));
    std::optional<Error> ours;  // why we ended the exchange
    for (;;) {
      auto turn = co_await session_->next_turn(*tag);
      if (!turn) co_return fail(std::move(turn.error()));
      if (auto* more = std::get_if<ContinuationReply>(&*turn)) {
        Secret line(std::string_view("*"));
        if (first) {
          line = first->reveal() == "=" ? Secret() : *first;
          first.reset();
        } else if (!ours) {
          auto challenge = base64_decode(more->text);
          Result<Secret> response = Secret();
          if (challenge)
            response = co_await exchange.respond(std::move(*challenge));
          else
            response = fail(ErrorDomain::auth, "sasl-protocol", "the server's challenge is no base64");
          if (response)
            line = Secret(base64_encode(response->reveal()));
          else
            ours = std::move(response.error());
        }
        auto answered = co_await session_->answer(std::move(line));
        if (!answered) co_return fail(std::move(answered.error()));
        continue;
      }
      const auto& status = std::get<StatusReply>(*turn);
      if (status.condition == Condition::ok && !ours) {
        if (auto proved = exchange.finished(); !proved) {
          session_->close();
          co_return fail(std::move(proved.error()));
        }
        if (status.code.is("CAPABILITY")) {
          Reply reply(status);
          observe(reply);
        }
        co_return Result<void>{};
      }
      if (ours) {
        if (status.condition == Condition::ok) session_->close();
        co_return fail(std::move(*ours));
      }
      Error error = reply_error(status, Asked::sign_in);
      if (error.retry != RetryClass::reauthenticate) co_return fail(std::move(error));
      Error refusal = auth::sasl_refusal(exchange, status.text);
      // The code is more exact than words that we may not know.
      if (error.code == "not-authorised") refusal.code = error.code;
      if (refusal.code == "not-authorised" || renewed) co_return fail(std::move(refusal));
      std::string code = refusal.code;
      auto renew = co_await exchange.renew(std::move(code));
      if (!renew) co_return fail(std::move(renew.error()));
      if (!*renew) co_return fail(std::move(refusal));
      break;
    }
  }
}

Async<void> Client::sign_in(SignIn login, std::string host, std::uint16_t port) {
  if (signed_in_) co_return Result<void>{};
  announced_ = false;
  auth::SaslOffer offer;
  offer.mechanisms = capabilities_.mechanisms();
  offer.is_tls = session_->is_tls();
  if (const net::Stream* const stream = session_->stream()) {
    offer.tls_server_end_point = stream->tls_server_end_point();
    offer.tls_exporter = stream->tls_exporter();
  }
  offer.service = "imap";
  offer.host = std::move(host);
  offer.port = port;
  auto done = co_await authenticate(login, offer);
  if (!done && done.error().code == "no-mechanism" && login.identity.password &&
      login.identity.authorization_id.empty() && !capabilities_.has("LOGINDISABLED") &&
      (offer.is_tls || login.policy.clear_text_without_tls) &&
      (login.policy.allowed.empty() || std::find(login.policy.allowed.begin(), login.policy.allowed.end(),
                                                 "LOGIN") != login.policy.allowed.end()))
    done = co_await log_in(login);
  if (!done) co_return fail(std::move(done.error()).during("signing in"));
  signed_in_ = true;
  co_return Result<void>{};
}

Async<void> Client::enable() {
  if (!capabilities_.has("ENABLE") && !capabilities_.rev2()) co_return Result<void>{};
  Command command("ENABLE");
  bool any = false;
  const auto want = [&](std::string_view name) {
    command.word(name);
    any = true;
  };
  if (settings_.qresync && capabilities_.qresync())
    want("QRESYNC");
  else if (settings_.qresync && capabilities_.condstore())
    want("CONDSTORE");
  if (settings_.utf8 && capabilities_.has("UTF8=ACCEPT")) want("UTF8=ACCEPT");
  if (settings_.utf8 && capabilities_.rev2()) want("IMAP4rev2");
  if (!any) co_return Result<void>{};
  Collect<EnabledReply> enabled(1000);
  auto done = co_await session_->run(std::move(command), Asked::other, &enabled);
  if (!done) {
    // A refusal leaves us as we are.
    if (session_->open()) co_return Result<void>{};
    co_return fail(std::move(done.error()));
  }
  for (const EnabledReply& reply : enabled.replies)
    for (const std::string& name : reply.names) {
      if (name == "QRESYNC") qresync_ = condstore_ = true;
      if (name == "CONDSTORE") condstore_ = true;
      if (name == "UTF8=ACCEPT" || name == "IMAP4REV2") utf8_ = true;
    }
  co_return Result<void>{};
}

Async<void> Client::settle() {
  if (!announced_) {
    auto asked = co_await ask_capabilities();
    if (!asked) co_return asked;
  }
  if (capabilities_.has("LITERAL+"))
    session_->set_literal_mode(LiteralMode::any);
  else if (capabilities_.has("LITERAL-") || capabilities_.rev2())
    session_->set_literal_mode(LiteralMode::up_to_4096);
  if (settings_.compress && capabilities_.has("COMPRESS=DEFLATE")) {
    Command compress("COMPRESS DEFLATE");
    auto done = co_await run(std::move(compress), Asked::other);
    if (done)
      session_->start_deflate();
    else if (!session_->open())
      co_return done;
  }
  if (capabilities_.has("ID") && !settings_.id.empty()) {
    Command id("ID (");
    for (std::size_t i = 0; i < settings_.id.size(); ++i)
      id.string(settings_.id[i].first).string(settings_.id[i].second);
    id.raw(")");
    auto done = co_await run(std::move(id), Asked::other);
    if (!done && !session_->open()) co_return done;
  }
  co_return co_await enable();
}

Async<void> Client::log_out() {
  Command command("LOGOUT");
  static_cast<void>(co_await run(std::move(command), Asked::other));
  session_->close();
  co_return Result<void>{};
}

std::string Client::wire(const std::string& name) const {
  return utf8_ ? decode_mailbox_name(name) : name;
}

Async<std::vector<Folder>> Client::list() {
  Command command("LIST \"\" \"*\"");
  if (capabilities_.has("SPECIAL-USE") && (capabilities_.has("LIST-EXTENDED") || capabilities_.rev2()))
    command.word("RETURN (SPECIAL-USE)");
  Collect<ListReply> listed(100'000);
  auto done = co_await session_->run(std::move(command), Asked::other, &listed);
  if (!done) co_return fail(std::move(done.error()));
  std::vector<Folder> folders;
  std::set<std::string> seen;
  for (ListReply& reply : listed.replies) {
    if (!seen.insert(reply.name).second) continue;
    Folder folder{.name = std::move(reply.name),
                  .delimiter = reply.delimiter,
                  .attributes = std::move(reply.attributes)};
    folder.path = utf8_ ? text::to_xml_text(folder.name) : decode_mailbox_name(folder.name);
    // Known by the same name before and after a server has learned UTF-8.
    if (utf8_ && text::is_valid_utf8(folder.name)) folder.name = encode_mailbox_name(folder.name);
    folders.push_back(std::move(folder));
  }
  co_return folders;
}

Async<MailboxStatusReply> Client::status(std::string name, std::string items) {
  Command command("STATUS");
  command.string(wire(name)).word(items);
  Collect<MailboxStatusReply> replies(1000);
  auto done = co_await session_->run(std::move(command), Asked::mailbox, &replies);
  if (!done) co_return fail(std::move(done.error()));
  if (replies.replies.empty())
    co_return fail(ErrorDomain::mail, "bad-response", "the IMAP server does not say what STATUS asks for");
  co_return std::move(replies.replies.back());
}

Async<void> Client::create(std::string name) {
  Command command("CREATE");
  command.string(wire(name));
  co_return co_await run(std::move(command), Asked::mailbox);
}

class Client::SelectHandler final : public ReplyHandler {
 public:
  explicit SelectHandler(Selected& selected) : selected_(selected) {}
  Result<void> on_reply(Reply& reply) override {
    if (const auto* status = std::get_if<StatusReply>(&reply)) {
      const ResponseCode& code = status->code;
      if (code.is("CLOSED")) {
        // What came before was the last folder's.
        selected_.vanished = {};
        selected_.changed.clear();
        selected_.exists = 0;
      }
      if (code.is("UIDVALIDITY")) selected_.uid_validity = short_number_of(code);
      if (code.is("UIDNEXT")) selected_.uid_next = short_number_of(code);
      if (code.is("HIGHESTMODSEQ")) selected_.highest_modseq = number_of(code);
      if (code.is("NOMODSEQ")) selected_.highest_modseq = 0;
      if (code.is("PERMANENTFLAGS")) selected_.permanent_flags = flags_in(code.arguments);
    } else if (auto* flags = std::get_if<FlagsReply>(&reply)) {
      selected_.flags = std::move(flags->flags);
    } else if (const auto* exists = std::get_if<ExistsReply>(&reply)) {
      selected_.exists = exists->count;
    } else if (const auto* vanished = std::get_if<VanishedReply>(&reply)) {
      selected_.vanished.add(vanished->uids);
    } else if (auto* fetch = std::get_if<FetchReply>(&reply)) {
      if (fetch->uid != 0 && fetch->flags)
        selected_.changed.push_back({fetch->uid, std::move(*fetch->flags), fetch->modseq.value_or(0)});
    }
    return {};
  }

 private:
  Selected& selected_;
};

Async<Selected> Client::select(std::string name, std::optional<Resume> resume, bool read_only) {
  Command command(read_only ? "EXAMINE" : "SELECT");
  command.string(wire(name));
  const bool resuming = resume && qresync_ && resume->uid_validity != 0 && resume->modseq != 0;
  if (resuming) {
    std::string parameters =
        "(QRESYNC (" + std::to_string(resume->uid_validity) + " " + std::to_string(resume->modseq);
    // Without the set the server assumes 1:uidnext, which is more to say for it and no less true.
    if (const std::string known = resume->known.to_string(); !known.empty() && known.size() < 1000)
      parameters += " " + known;
    command.word(parameters + "))");
  } else if (condstore_ || (settings_.qresync && capabilities_.condstore())) {
    command.word("(CONDSTORE)");
  }
  selected_.reset();
  vanished_ = {};
  Selected selected{.name = name};
  SelectHandler handler(selected);
  auto done = co_await session_->run(std::move(command), Asked::mailbox, &handler);
  if (!done) co_return fail(std::move(done.error()));
  selected.read_only = read_only || done->code.is("READ-ONLY");
  selected.resumed = resuming;
  if (selected.uid_validity == 0)
    co_return fail(ErrorDomain::mail, "no-uidvalidity", "the IMAP server's folder has no UIDVALIDITY");
  selected_ = selected;
  selected_->vanished = {};
  selected_->changed.clear();
  vanished_ = {};
  co_return selected;
}

Async<UidSet> Client::search(std::string criteria, std::optional<std::string> text) {
  const bool extended = capabilities_.esearch();
  Command command(extended ? "UID SEARCH RETURN (ALL)" : "UID SEARCH");
  command.word(criteria);
  if (text) command.string(*text);
  class Handler final : public ReplyHandler {
   public:
    Result<void> on_reply(Reply& reply) override {
      if (const auto* search = std::get_if<SearchReply>(&reply)) found.add(search->numbers);
      if (const auto* search = std::get_if<EsearchReply>(&reply)) found.add(search->all);
      return {};
    }
    UidSet found;
  } handler;
  auto done = co_await session_->run(std::move(command), Asked::messages, &handler);
  if (!done) co_return fail(std::move(done.error()));
  co_return std::move(handler.found);
}

Async<UidSet> Client::uids_at(std::uint64_t first, std::uint64_t last) {
  Command command("FETCH");
  command.word(std::to_string(first) + ":" + std::to_string(last)).word("(UID)");
  class Handler final : public ReplyHandler {
   public:
    Result<void> on_reply(Reply& reply) override {
      if (const auto* fetch = std::get_if<FetchReply>(&reply); fetch != nullptr && fetch->uid != 0)
        found.add(fetch->uid);
      return {};
    }
    UidSet found;
  } handler;
  auto done = co_await session_->run(std::move(command), Asked::messages, &handler);
  if (!done) co_return fail(std::move(done.error()));
  co_return std::move(handler.found);
}

std::vector<FetchBatch> Client::batches_of(const UidSet& uids, std::size_t most_messages,
                                           std::uint64_t octets_a_message) {
  std::vector<FetchBatch> batches;
  FetchBatch batch;
  std::uint64_t messages = 0;
  std::size_t length = 0;
  const auto flush = [&] {
    if (batch.uids.empty()) return;
    batch.octets = messages * octets_a_message;
    batches.push_back(std::exchange(batch, {}));
    messages = 0;
    length = 0;
  };
  for (UidSet::Range range : uids.ranges()) {
    for (;;) {
      if (messages >= most_messages || length >= set_octets) flush();
      const std::uint64_t room = most_messages - messages;
      const std::uint64_t count = std::uint64_t{range.last} - range.first + 1;
      const auto last = static_cast<Uid>(count > room ? range.first + room - 1 : range.last);
      batch.uids.add(range.first, last);
      messages += std::min(count, room);
      length += 22;
      if (last == range.last) break;
      range.first = last + 1;
    }
  }
  flush();
  return batches;
}

Async<std::vector<Result<void>>> Client::fetch(std::vector<FetchBatch> batches, std::string items,
                                               ReplyHandler& handler, std::string modifier) {
  std::vector<Result<void>> outcomes;
  outcomes.reserve(batches.size());
  struct Sent {
    std::string tag;
    std::uint64_t octets;
  };
  std::deque<Sent> in_flight;
  std::uint64_t octets_in_flight = 0;
  std::size_t next = 0;
  while (outcomes.size() < batches.size()) {
    std::vector<Command> commands;
    std::vector<std::uint64_t> sizes;
    while (next < batches.size() && in_flight.size() + commands.size() < settings_.commands_in_flight &&
           (in_flight.size() + commands.size() == 0 ||
            octets_in_flight + batches[next].octets <= settings_.octets_in_flight)) {
      Command command("UID FETCH");
      command.word(batches[next].uids.to_string()).word(items);
      if (!modifier.empty()) command.word(modifier);
      commands.push_back(std::move(command));
      sizes.push_back(batches[next].octets);
      octets_in_flight += batches[next].octets;
      ++next;
    }
    if (!commands.empty()) {
      auto tags = co_await session_->send_all(std::move(commands));
      if (!tags) co_return fail(std::move(tags.error()));
      for (std::size_t i = 0; i < tags->size(); ++i) in_flight.push_back({std::move((*tags)[i]), sizes[i]});
    }
    const Sent first = std::move(in_flight.front());
    in_flight.pop_front();
    octets_in_flight -= first.octets;
    const std::string tag = first.tag;
    auto done = co_await session_->wait(tag, Asked::messages, &handler);
    if (!done && !session_->open()) co_return fail(std::move(done.error()).during("UID FETCH"));
    outcomes.push_back(done ? Result<void>{}
                            : Result<void>(fail(std::move(done.error()).during("UID FETCH"))));
  }
  co_return outcomes;
}

Async<UidSet> Client::store(UidSet uids, std::string how, std::vector<std::string> flags,
                            std::optional<std::uint64_t> unchanged_since) {
  UidSet modified;
  for (const FetchBatch& batch : batches_of(uids, 100'000, 0)) {
    Command command("UID STORE");
    command.word(batch.uids.to_string());
    if (unchanged_since) command.word("(UNCHANGEDSINCE " + std::to_string(*unchanged_since) + ")");
    command.word(how + ".SILENT").word("(");
    const bool labels = how.find("X-GM-LABELS") != std::string::npos;
    for (std::size_t i = 0; i < flags.size(); ++i) {
      if (labels) {
        command.string(flags[i]);
        continue;
      }
      if (!is_flag(flags[i]))
        co_return fail(ErrorDomain::input, "bad-text", "\"" + flags[i] + "\" cannot be a flag");
      command.raw(i == 0 ? "" : " ").raw(flags[i]);
    }
    command.raw(")");
    auto done = co_await session_->run(std::move(command), Asked::messages);
    if (!done) {
      if (done.error().code != "conflict") co_return fail(std::move(done.error()));
      modified.add(batch.uids);
      continue;
    }
    if (done->code.is("MODIFIED"))
      if (const auto set = UidSet::parse(done->code.arguments, 100'000)) modified.add(*set);
  }
  co_return modified;
}

Async<Appended> Client::append(std::string folder, std::vector<std::string> flags,
                               std::optional<SystemTime> date, std::uint64_t octets, ReadOctets read) {
  Command command("APPEND");
  command.string(wire(folder)).word("(");
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (!is_flag(flags[i]))
      co_return fail(ErrorDomain::input, "bad-text", "\"" + flags[i] + "\" cannot be a flag");
    command.raw(i == 0 ? "" : " ").raw(flags[i]);
  }
  command.raw(")");
  if (date) command.string(format_internal_date(*date));
  command.stream(octets, std::move(read));
  auto done = co_await session_->run(std::move(command), Asked::mailbox);
  if (!done) co_return fail(std::move(done.error()));
  Appended appended;
  if (done->code.is("APPENDUID")) {
    const auto parts = words(done->code.arguments);
    const auto validity = parts.size() == 2 ? parse_number(parts[0]) : std::nullopt;
    const auto uid = parts.size() == 2 ? parse_number(parts[1]) : std::nullopt;
    if (validity && uid && *uid <= 0xFFFFFFFFU)
      appended = {static_cast<std::uint32_t>(*validity), static_cast<Uid>(*uid)};
  }
  co_return appended;
}

Async<Copied> Client::copy_or_move(std::string verb, const UidSet& uids, const std::string& folder) {
  CopiedHandler handler;
  for (const FetchBatch& batch : batches_of(uids, 100'000, 0)) {
    Command command(verb);
    command.word(batch.uids.to_string()).string(wire(folder));
    auto done = co_await session_->run(std::move(command), Asked::mailbox, &handler);
    if (!done) co_return fail(std::move(done.error()));
    handler.take(*done);
  }
  co_return std::move(handler.copied);
}

Async<Copied> Client::copy(UidSet uids, std::string folder) {
  const std::string verb = "UID COPY";
  co_return co_await copy_or_move(verb, uids, folder);
}

Async<Copied> Client::move(UidSet uids, std::string folder) {
  const std::string verb = capabilities_.move() ? "UID MOVE" : "UID COPY";
  auto copied = co_await copy_or_move(verb, uids, folder);
  if (!copied || capabilities_.move()) co_return copied;
  const std::vector<std::string> deleted = {"\\Deleted"};
  const std::string how = "+FLAGS";
  auto marked = co_await store(uids, how, deleted);
  if (!marked) co_return fail(std::move(marked.error()));
  if (capabilities_.uidplus()) {
    auto gone = co_await expunge(uids);
    if (!gone) co_return fail(std::move(gone.error()));
  }
  co_return copied;
}

Async<void> Client::expunge(UidSet uids) {
  if (!capabilities_.uidplus())
    co_return fail(ErrorDomain::mail, "no-uidplus",
                   "the IMAP server cannot remove single messages (UIDPLUS)");
  for (const FetchBatch& batch : batches_of(uids, 100'000, 0)) {
    Command command("UID EXPUNGE");
    command.word(batch.uids.to_string());
    auto done = co_await run(std::move(command), Asked::messages);
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

Async<void> Client::noop() {
  Command command("NOOP");
  co_return co_await run(std::move(command), Asked::other);
}

Async<bool> Client::idle(SteadyTime until) {
  if (capabilities_.idle()) co_return co_await session_->idle(until);
  const auto now = [this] { return environment_.clock.steady_now(); };
  while (now() < until) {
    const std::uint64_t before = selected_ ? selected_->exists : 0;
    auto asked = co_await noop();
    if (!asked) co_return fail(std::move(asked.error()));
    if (!vanished_.empty() || (selected_ && selected_->exists != before)) co_return true;
    const SteadyTime next = std::min(until, net::deadline_after(environment_.clock, poll_interval));
    auto slept = co_await environment_.timers.sleep_until(next);
    if (!slept) co_return fail(std::move(slept.error()));
  }
  co_return false;
}

}  // namespace syncline::imap
