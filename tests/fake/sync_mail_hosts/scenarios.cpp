// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenarios.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace syncline::sync::testing {
namespace {

using imap::testing::FakeImap;
using model::RecordKind;

std::string numbered(int number) {
  return mail_from(bert, "Message " + std::to_string(number), "<" + std::to_string(number) + "@x>");
}

// --- mail in by IMAP ---

void mail_comes(MailWorld& server, MailOrganisation&) {
  for (int i = 0; i < 4; ++i) server.deliver(numbered(i));
  server.folder("Projects").add(numbered(4));
}

void mail_moves(MailWorld& server, MailOrganisation&) {
  server.folder().flag(server.message("INBOX", "Message 2").uid, "\\Seen");
  server.move("INBOX", "Message 3", "Projects");
  server.expunge("INBOX", "Message 0");
  server.deliver(numbered(1));  // again: one record
  server.deliver(mail_from(bert, "Message 5", "<5@x>"));
  server.folder("Sent").add(mail_from(anna, "Answer", "<9@x>", "In-Reply-To: <1@x>\r\n"));
}

void mail_is_numbered_anew(MailWorld& server, MailOrganisation&) {
  server.number_anew("INBOX");
  server.number_anew("Projects");
  server.deliver(numbered(6));
}

/// isRead goes both ways where the organisation says so.
void reads_both_ways(MailWorld&, MailOrganisation& organisation) {
  organisation.settings.policies.directions[{RecordKind::email, "isRead"}] = model::Direction::both;
}

void records_are_read(MailWorld& server, MailOrganisation& organisation) {
  organisation.edit(organisation.record_with("Message 1"), {{"isRead", true}});
  server.folder().flag(server.message("INBOX", "Message 2").uid, "\\Seen");
  organisation.edit(organisation.record_with("Message 4"), {{"isRead", true}});
}

void records_are_unread(MailWorld&, MailOrganisation& organisation) {
  organisation.edit(organisation.record_with("Message 2"), {{"isRead", false}});
}

// --- mail in by POP3 ---

void pop3_mail_comes(MailWorld& server, MailOrganisation&) {
  for (int i = 0; i < 4; ++i) server.deliver(numbered(i));
}

void pop3_mail_goes(MailWorld& server, MailOrganisation&) {
  server.take("Message 0");
  server.deliver(numbered(4));
  server.deliver(numbered(1));  // again: one record
  server.deliver(mail_from(bert, "Message 5", "", "", "no Message-ID\r\n"));
}

void pop3_is_numbered_anew(MailWorld& server, MailOrganisation&) {
  for (std::size_t i = 0; i < server.pop3.mailbox.size(); ++i)
    server.pop3.mailbox[i].uid = "moved" + std::to_string(i);
  server.deliver(numbered(6));
}

void from_new_year(MailWorld&, MailOrganisation& organisation) {
  organisation.settings.policies.mail.process_from =
      SystemTime{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
}

// --- queues ---

void is_queue(MailWorld&, MailOrganisation& organisation) {
  organisation.settings.kind = MailboxKind::queue;
  organisation.settings.policies.mail.delete_after_processing = true;
  organisation.settings.tracked_folders.clear();
}

void queue_fills(MailWorld& server, MailOrganisation&) {
  for (int i = 0; i < 3; ++i) server.deliver(numbered(i));
}

void queue_fills_again(MailWorld& server, MailOrganisation&) {
  server.deliver(numbered(3));
  // Again, by another way: one record, and it goes as well.
  server.deliver("Received: from elsewhere.example.test\r\n" + numbered(1));
}

// --- mail out ---

void mail_goes(MailWorld& server, MailOrganisation& organisation) {
  server.smtp.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.starts_with("RCPT TO:<nobody@")) return "550 5.1.1 nobody of that name\r\n";
    return std::nullopt;
  };
  const std::string attached = organisation.add_content(std::string(3000, 'q'));
  organisation.send("Offer 0");
  organisation.send(
      "Offer 1",
      {{"attachments",
        {{{"name", "a.txt"}, {"contentType", "text/plain"}, {"size", 3000}, {"sha256", attached}}}}});
  organisation.send(
      "Offer 2", {{"toRecipients", {{{"emailAddress", bert}}, {{"emailAddress", "nobody@example.test"}}}}});
}

void more_mail_goes(MailWorld& server, MailOrganisation& organisation) {
  server.deliver(numbered(7));
  organisation.send("Offer 3");
}

void many_letters_go(MailWorld&, MailOrganisation& organisation) {
  for (int i = 0; i < 9; ++i) organisation.send("Letter " + std::to_string(i));
}

bool is_unconfirmed(MailOrganisation& organisation) {
  const std::vector<std::string> remarks = organisation.journal_texts("remark");
  return std::any_of(remarks.begin(), remarks.end(), [](const std::string& text) {
    return text.find("not known to be accepted") != std::string::npos;
  });
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {.name = "mail in by IMAP", .steps = {mail_comes, mail_moves, mail_is_numbered_anew}},
      {.name = "mail in by IMAP with CONDSTORE alone",
       .prepare = [](MailWorld& server,
                     MailOrganisation&) { server.imap.modseq = FakeImap::Modseq::condstore; },
       .steps = {mail_comes, mail_moves, mail_is_numbered_anew}},
      {.name = "mail in by IMAP without mod sequences",
       .prepare = [](MailWorld& server, MailOrganisation&) { server.imap.modseq = FakeImap::Modseq::none; },
       .steps = {mail_comes, mail_moves, mail_is_numbered_anew}},
      {.name = "mail in by IMAP from a start date",
       .prepare = from_new_year,
       .steps = {mail_comes, mail_moves, mail_is_numbered_anew}},
      {.name = "read states by IMAP",
       .prepare = reads_both_ways,
       .steps = {mail_comes, records_are_read, records_are_unread}},
      {.name = "queue by IMAP", .prepare = is_queue, .steps = {queue_fills, queue_fills_again}},
      {.name = "queue by IMAP without MOVE",
       .prepare =
           [](MailWorld& server, MailOrganisation& organisation) {
             server.imap.has_move = false;
             is_queue(server, organisation);
           },
       .steps = {queue_fills, queue_fills_again}},
      {.name = "mail in by POP3",
       .incoming = Incoming::pop3,
       .steps = {pop3_mail_comes, pop3_mail_goes, pop3_is_numbered_anew}},
      {.name = "mail in by POP3 from a start date",
       .incoming = Incoming::pop3,
       .prepare = from_new_year,
       .steps = {pop3_mail_comes, pop3_mail_goes, pop3_is_numbered_anew}},
      {.name = "queue by POP3",
       .incoming = Incoming::pop3,
       .prepare = is_queue,
       .steps = {queue_fills, queue_fills_again}},
      {.name = "mail out with copies of the server",
       .prepare =
           [](MailWorld& server, MailOrganisation& organisation) {
             server.saves_sent_copies = true;
             organisation.sent_copies = smtp::SentCopies::automatic;
           },
       .steps = {mail_goes, more_mail_goes}},
      {.name = "mail out with copies of ours", .steps = {mail_goes, more_mail_goes}, .has_evidence = false},
      {.name = "mail out with copies of ours by DATA",
       .prepare =
           [](MailWorld& server, MailOrganisation& organisation) {
             server.smtp.offers = {"SIZE 1000000", "8BITMIME"};
             server.imap.has_uidplus = false;
             organisation.sent_copies = smtp::SentCopies::automatic;
           },
       .steps = {mail_goes, more_mail_goes},
       .has_evidence = false},
      {.name = "mail out beside POP3",
       .incoming = Incoming::pop3,
       .steps = {mail_goes, more_mail_goes},
       .has_evidence = false},
      {.name = "many letters with copies of the server",
       .prepare =
           [](MailWorld& server, MailOrganisation& organisation) {
             server.saves_sent_copies = true;
             organisation.sent_copies = smtp::SentCopies::automatic;
           },
       .steps = {many_letters_go},
       .at_once = 2},
      {.name = "many letters with copies of ours",
       .steps = {many_letters_go},
       .has_evidence = false,
       .at_once = 2},
      {.name = "many letters beside POP3",
       .incoming = Incoming::pop3,
       .steps = {many_letters_go},
       .has_evidence = false,
       .at_once = 2},
  };
  return all;
}

std::string test_name(const Scenario& scenario) {
  std::string name = scenario.name;
  for (char& c : name)
    if (c == ' ') c = '_';
  return name;
}

Outcome play(const Scenario& scenario, const Trouble& trouble) {
  MailWorld server(scenario.incoming);
  MailOrganisation organisation(server);
  if (scenario.prepare) scenario.prepare(server, organisation);
  organisation.read_ahead();
  for (std::size_t step = 0; step < scenario.steps.size(); ++step) {
    scenario.steps[step](server, organisation);
    if (step == trouble.step) {
      if (trouble.before) trouble.before(server, organisation);
      static_cast<void>(organisation.run());
      if (trouble.after) trouble.after(server, organisation);
      server.cut(std::nullopt);
      server.pass(std::chrono::seconds(1));
      organisation.reopen();
    }
    organisation.settle();
    // What the writes of this step caused is seen as late as possible.
    server.pass(std::chrono::minutes(1));
  }
  organisation.settle();
  Outcome outcome{.records = organisation.dump(),
                  .contents = server.contents(),
                  .mails = server.mails(),
                  .states = organisation.states(),
                  .recipients = organisation.recipient_states(),
                  .unconfirmed = is_unconfirmed(organisation)};
  organisation.expect_quiet();
  return outcome;
}

void expect_same(const Scenario& scenario, const Outcome& unbroken, const Outcome& broken) {
  std::vector<std::string> with_person;
  for (const auto& [subject, state] : broken.states)
    if (state == "needsPerson") with_person.push_back(subject);
  if (with_person.empty()) {
    EXPECT_EQ(broken.records, unbroken.records);
    EXPECT_EQ(broken.contents, unbroken.contents);
    EXPECT_EQ(broken.mails, unbroken.mails);
    EXPECT_FALSE(unbroken.unconfirmed);
    if (!broken.unconfirmed) {
      EXPECT_EQ(broken.recipients, unbroken.recipients);
    }
    return;
  }
  ASSERT_LE(with_person.size(), scenario.at_once) << "so many answers were lost";
  const auto waits = [&](std::string_view subject) {
    return std::find(with_person.begin(), with_person.end(), subject) != with_person.end();
  };
  for (const auto& [subject, state] : unbroken.states) {
    ASSERT_TRUE(broken.states.contains(subject)) << subject << " is lost";
    if (waits(subject)) continue;
    EXPECT_EQ(broken.states.at(subject), state) << subject;
  }
  for (const auto& [mail, times] : unbroken.mails) {
    const auto went = broken.mails.find(mail);
    const int times_now = went == broken.mails.end() ? 0 : went->second;
    EXPECT_LE(times_now, times) << mail;
    const bool in_doubt =
        std::any_of(with_person.begin(), with_person.end(),
                    [&](const std::string& subject) { return mail.ends_with(" " + subject); });
    if (!in_doubt) {
      EXPECT_EQ(times_now, times) << mail;
    } else if (scenario.has_evidence) {
      EXPECT_EQ(times_now, 0) << mail << " went out, which the Sent folder shows";
    }
  }
  EXPECT_LE(broken.mails.size(), unbroken.mails.size());
}

}  // namespace syncline::sync::testing
