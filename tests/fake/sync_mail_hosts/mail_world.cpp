// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "auth/blocking_pool.hpp"
#include "base/text.hpp"
#include "routing/pop3/driver/mime_reader.hpp"
#include "routing/smtp/driver/mime_composer.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;

constexpr const char* password = "secret";

/// What the server or the sender makes anew each time.
bool is_volatile(std::string_view line) {
  for (const std::string_view name : {"Date:", "Message-ID:", "X-Syncline-Operation:"})
    if (line.starts_with(name)) return true;
  return false;
}

/// The border between parts, made of the operation's id.
void replace_boundary(std::string& text) {
  constexpr std::string_view name = "boundary=\"";
  const std::size_t at = text.find(name);
  if (at == std::string::npos) return;
  const std::size_t begin = at + name.size();
  const std::string border = text.substr(begin, text.find('"', begin) - begin);
  if (border.size() < 8) return;  // not one of ours
  for (std::size_t found = text.find(border); found != std::string::npos; found = text.find(border, found))
    text.replace(found, border.size(), "border");
}

/// The message without what differs from run to run.
std::string lasting_text(const std::string& text) {
  std::string out;
  bool in_header = true;
  for (std::string_view line : text::split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) in_header = false;
    if (in_header && is_volatile(line)) continue;
    out += std::string(line) + "|";
  }
  replace_boundary(out);
  return out;
}

/// "Offer 1 SYN:0000002" → "Offer 1"
std::string without_token(std::string subject) {
  return subject.substr(0, subject.find(" SYN:"));
}

}  // namespace

std::string header_of(std::string_view text, std::string_view field) {
  const std::string wanted = "\r\n" + std::string(field) + ": ";
  const std::string whole = "\r\n" + std::string(text.substr(0, text.find("\r\n\r\n") + 2));
  const std::size_t at = whole.find(wanted);
  if (at == std::string::npos) return {};
  return whole.substr(at + wanted.size(), whole.find("\r\n", at + wanted.size()) - at - wanted.size());
}

std::string mail_from(std::string_view from, std::string_view subject, std::string_view message_id,
                      std::string_view more_headers, std::string_view body) {
  std::string text =
      "From: " + std::string(from) + "\r\nTo: " + anna + "\r\nSubject: " + std::string(subject);
  text += "\r\nDate: Mon, 05 Jan 2026 07:30:00 +0000\r\n";
  if (!message_id.empty()) text += "Message-ID: " + std::string(message_id) + "\r\n";
  return text + std::string(more_headers) + "\r\n" + std::string(body);
}

MailWorld::MailWorld(Incoming in) : incoming(in) {
  imap.folders["INBOX"];
  imap.folders["Projects"];
  imap.folders["Sent"].attributes = "\\Sent";
  imap.folders["Trash"].attributes = "\\Trash";
  const auto noting = [this](std::uint16_t port) {
    return [this, port](std::size_t connection, const std::string& to, std::size_t octets) {
      note(port, connection, to, octets);
    };
  };
  imap.said = noting(imap_port);
  pop3.said = noting(pop3_port);
  smtp.said = noting(smtp_port);
  const auto hearing = [this](std::uint16_t port) {
    return [this, port](std::size_t connection, std::size_t octets) { heard_[{port, connection}] += octets; };
  };
  imap.heard = hearing(imap_port);
  pop3.heard = hearing(pop3_port);
  smtp.heard = hearing(smtp_port);
  smtp.on_taken = [this](const smtp::testing::Received& message) {
    if (saves_sent_copies) imap.folders["Sent"].add(message.text, 1'767'600'000).flags.insert("\\Seen");
    for (const std::string& to : message.to)
      if (to == anna) deliver(message.text);
  };
  imap.listen(world);
  pop3.listen(world);
  smtp.listen(world, smtp_port);
  world.set_faults([this](const std::string&, std::uint16_t port, std::size_t nth) {
    net::testing::ConnectionFaults faults;
    if (!cut_ || cut_->port != port || cut_->connection != nth) return faults;
    was_cut_ = true;
    (cut_->of_requests ? faults.server : faults.client).cut_after_read = cut_->octets;
    return faults;
  });
}

void MailWorld::note(std::uint16_t port, std::size_t connection, const std::string& to, std::size_t octets) {
  std::uint64_t& at = octets_[{port, connection}];
  said_.push_back({.port = port, .connection = connection, .to = to, .begin = at, .end = at + octets});
  at += octets;
}

void MailWorld::deliver(std::string text) {
  if (incoming == Incoming::imap)
    folder().add(std::move(text));
  else
    pop3.mailbox.push_back({.uid = "u" + std::to_string(next_pop3_uid_++), .octets = std::move(text)});
}

imap::testing::FakeMessage& MailWorld::message(const std::string& folder_name, std::string_view subject) {
  for (imap::testing::FakeMessage& one : folder(folder_name).messages)
    if (header_of(one.text, "Subject") == subject) return one;
  ADD_FAILURE() << "no message " << subject << " in " << folder_name;
  static imap::testing::FakeMessage none;
  return none;
}

void MailWorld::move(const std::string& from, std::string_view subject, const std::string& to) {
  imap::testing::FakeMessage copy = message(from, subject);
  folder(from).expunge(copy.uid);
  imap::testing::FakeMessage& made = folder(to).add(copy.text, copy.received);
  made.flags = copy.flags;
}

void MailWorld::expunge(const std::string& from, std::string_view subject) {
  folder(from).expunge(message(from, subject).uid);
}

void MailWorld::take(std::string_view subject) {
  const auto gone = std::erase_if(pop3.mailbox, [&](const pop3::testing::Stored& one) {
    return header_of(one.octets, "Subject") == subject;
  });
  EXPECT_EQ(gone, 1u) << subject;
}

void MailWorld::number_anew(const std::string& folder_name) {
  imap::testing::FakeFolder& there = folder(folder_name);
  ++there.uid_validity;
  there.uid_next = 1;
  there.expunged.clear();
  for (imap::testing::FakeMessage& one : there.messages) {
    one.uid = there.uid_next++;
    one.modseq = ++there.modseq;
  }
}

std::map<std::string, int> MailWorld::mails() const {
  std::map<std::string, int> sums;
  for (const smtp::testing::Received& mail : smtp.taken)
    for (const std::string& to : mail.to) ++sums[to + " " + without_token(header_of(mail.text, "Subject"))];
  return sums;
}

std::size_t MailWorld::writes() const {
  std::size_t sum = smtp.offered + pop3.count("DELE ");
  for (const char* verb : {"APPEND", "CREATE", "UID STORE", "UID MOVE", "UID COPY", "UID EXPUNGE"})
    sum += imap.count(verb);
  return sum;
}

std::string MailWorld::contents() const {
  std::vector<std::string> lines;
  for (const auto& [name, one] : imap.folders)
    for (const imap::testing::FakeMessage& message : one.messages) {
      std::string line = name;
      for (const std::string& flag : message.flags) line += " " + flag;
      lines.push_back(line + " " + lasting_text(message.text));
    }
  for (const pop3::testing::Stored& one : pop3.mailbox) lines.push_back("pop3 " + lasting_text(one.octets));
  return joined(std::move(lines));
}

MailOrganisation::MailOrganisation(MailWorld& world, std::uint64_t seed)
    : OrganisationStore(world.world.environment().clock, anna, seed), world_(world) {
  settings.appointments_contacts_tasks = false;
  settings.tracked_folders = {"Projects"};
}

/// What a process has that speaks for the mailbox: what service/engine makes of a route.
struct MailOrganisation::Process {
  explicit Process(MailOrganisation& organisation)
      : environment(organisation.world_.world.environment()),
        incoming(organisation.world_.incoming),
        sender(environment, sender_settings(), mail::ChooseSasl(), smtp::mime_composer({.address = anna}),
               sent_folder(organisation)),
        imap(environment, imap_settings(organisation), sending()),
        pop3(environment, pop3_settings(organisation), pop3::mime_message_reader(), sending()) {}

  sync::Driver& driver() {
    if (incoming == Incoming::imap) return imap;
    return pop3;
  }
  Async<void> close() {
    static_cast<void>(co_await sender.close());
    static_cast<void>(co_await imap.close());
    static_cast<void>(co_await pop3.close());
    co_return Result<void>{};
  }

  net::Environment& environment;
  Incoming incoming;
  smtp::Sender sender;
  imap::ImapDriver imap;
  pop3::Pop3Driver pop3;

 private:
  static smtp::SenderSettings sender_settings() {
    smtp::SenderSettings made;
    made.session.endpoint = {
        .host = "mail.example.test", .port = MailWorld::smtp_port, .tls = mail::TlsMode::none};
    made.address = anna;
    return made;
  }
  smtp::SentFolder sent_folder(const MailOrganisation& organisation) {
    if (incoming == Incoming::pop3) return {.copies = smtp::SentCopies::none};
    return {
        .find =
            [this](smtp::SentMark mark) {
              return imap.find_sent(std::move(mark.message_id), std::move(mark.operation_id));
            },
        .append = [this](sync::ContentSource& text,
                         smtp::SentMark mark) { return imap.append_sent(text, std::move(mark.message_id)); },
        .copies = organisation.sent_copies};
  }
  sync::SendMail sending() {
    return [this](const sync::WriteOrder& order, sync::Progress& progress, const sync::OpenContent& content) {
      return sender.send(order, progress, content);
    };
  }
  static imap::DriverSettings imap_settings(const MailOrganisation& organisation) {
    imap::DriverSettings made;
    made.endpoint = {.host = "imap.example.test", .port = MailWorld::imap_port, .tls = mail::TlsMode::none};
    made.connect = organisation.imap_connect;
    auth::SaslIdentity& identity = made.connect.sign_in.identity;
    identity.user = anna;
    if (!identity.token) identity.password = Secret(std::string_view(password));
    made.connect.sign_in.policy.clear_text_without_tls = true;
    made.reading_thread = std::make_shared<auth::BlockingPool>(0);
    return made;
  }
  static pop3::DriverSettings pop3_settings(const MailOrganisation& organisation) {
    pop3::DriverSettings made;
    made.by_date = organisation.settings.policies.mail.process_from.has_value();
    made.mailbox.session.endpoint = {
        .host = "pop.example.test", .port = MailWorld::pop3_port, .tls = mail::TlsMode::none};
    made.mailbox.login = {
        .user = anna, .password = Secret(std::string_view(password)), .clear_text_without_tls = true};
    return made;
  }
};

Result<MailboxSummary> MailOrganisation::run() {
  Process process(*this);
  Surroundings surroundings{
      .clock = process.environment.clock,
      .random = random_,
      .sleep = [this](std::chrono::milliseconds span) { return world_.world.sleep(span); },
      .aside = aside};
  auto outcome = world_.world.run(
      run_mailbox(std::move(surroundings), store(), content(), process.driver(), settings, options));
  for (std::string& one : process.imap.take_warnings()) warnings.push_back(std::move(one));
  if (outcome || outcome.error().domain != ErrorDomain::local) {
    EXPECT_TRUE(world_.world.run(process.close()));
  }
  return outcome;
}

MailboxSummary MailOrganisation::must_run() {
  auto summary = run();
  if (!summary) {
    ADD_FAILURE() << summary.error().describe();
    return {};
  }
  return *summary;
}

void MailOrganisation::settle() {
  for (int round = 0; round < 12; ++round) {
    if (must_run().waiting == 0) return;
    world_.pass(std::chrono::minutes(31));
  }
  ADD_FAILURE() << "operations are still waiting";
}

void MailOrganisation::expect_quiet() {
  const std::string records_before = dump();
  const std::string contents_before = world_.contents();
  const std::size_t writes_before = world_.writes();
  // The feeds may still tell of our own last writes; after that there is nothing to say.
  reopen();
  must_run();
  StopAt none(~std::uint64_t{0}, StopAt::Moment::after);
  reopen(&none);
  must_run();
  EXPECT_EQ(none.seen(), 0u) << "one more run writes nothing to the store";
  EXPECT_EQ(world_.writes(), writes_before) << "one more run writes nothing to the servers";
  EXPECT_EQ(dump(), records_before);
  EXPECT_EQ(world_.contents(), contents_before);
  reopen();
}

std::string MailOrganisation::dump() {
  const auto lasting = [](model::Fields fields) {
    // Of what came, every octet is compared; what goes out bears the time at which it went.
    if (model::text_of(fields, "direction") != "outgoing") return fields;
    for (const char* name :
         {"dateTimeSent", "dateTimeReceived", "mime", "inReplyTo", "references", "recipientStates"})
      fields.erase(name);
    return fields;
  };
  return OrganisationStore::dump({}, lasting);
}

std::map<std::string, std::string> MailOrganisation::recipient_states() {
  std::map<std::string, std::string> all;
  for (const model::Record& one : records(RecordKind::email))
    if (one.fields.contains("recipientStates"))
      all[without_token(std::string(model::text_of(one.fields, "subject")))] =
          field_text(one.fields, "recipientStates");
  return all;
}

std::map<std::string, std::string> MailOrganisation::states() {
  std::map<std::string, std::string> all;
  for (const model::Record& one : records(RecordKind::email))
    if (model::text_of(one.fields, "direction") == "outgoing")
      all[without_token(std::string(model::text_of(one.fields, "subject")))] =
          model::text_of(one.fields, "statusCode");
  return all;
}

model::RecordId MailOrganisation::record_with(std::string_view subject) {
  for (const model::Record& one : records(RecordKind::email))
    if (model::text_of(one.fields, "subject") == subject) return one.id;
  ADD_FAILURE() << "no record " << subject;
  return 0;
}

model::RecordId MailOrganisation::send(std::string_view subject, model::Fields more) {
  model::Fields message{{"direction", "outgoing"},
                        {"statusCode", "pendingSend"},
                        {"subject", subject},
                        {"body", {{"type", "text"}, {"value", "hello"}}},
                        {"toRecipients", {{{"emailAddress", bert}}}}};
  for (const auto& [name, value] : more) message[name] = value;
  return add(RecordKind::email, std::move(message)).id;
}

}  // namespace syncline::sync::testing
