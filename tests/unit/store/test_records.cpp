// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/records.hpp"

#include <sqlite3.h>

#include "store/connection.hpp"
#include "store_fixture.hpp"

namespace syncline::store {
namespace {

using model::Record;
using model::RecordKind;

class Records : public StoreTest {
 protected:
  std::optional<Record> find(model::RecordId id, bool deleted_too = false) {
    return read<std::optional<Record>>([&](Transaction& t) { return find_record(t, id, deleted_too); });
  }
  Record update(Record record) {
    auto updated = write<Record>([&](Transaction& t) { return update_record(t, record); });
    EXPECT_TRUE(updated) << updated.error().describe();
    return updated.value_or(Record());
  }
  std::vector<model::RecordId> by_address(std::string_view address,
                                          std::optional<RecordKind> kind = std::nullopt) {
    return read<std::vector<model::RecordId>>(
        [&](Transaction& t) { return find_by_address(t, address, kind); });
  }
};

std::vector<model::RecordId> ids(const std::vector<Record>& records) {
  std::vector<model::RecordId> out;
  for (const Record& record : records) out.push_back(record.id);
  return out;
}

TEST_F(Records, ComeBackAsTheyWere) {
  const std::string json =
      R"({"subject":"Grüße \"x\" \u0000 \n","body":{"type":"html","value":"<p>ü</p>"},"importance":null,)"
      R"("categories":["a","b"],"percentComplete":12.5,"isRead":true,"size":-3,"empty":{},"none":[]})";
  Record record{
      .kind = RecordKind::task, .external_id = "crm-1", .owner = "anna@example.org", .fields = fields(json)};
  auto inserted = write<Record>([&](Transaction& t) { return insert_record(t, record); });
  ASSERT_TRUE(inserted);
  EXPECT_EQ(inserted->version, 1);
  const auto found = find(inserted->id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, RecordKind::task);
  EXPECT_EQ(found->external_id, "crm-1");
  EXPECT_EQ(found->owner, "anna@example.org");
  EXPECT_EQ(found->version, 1);
  EXPECT_FALSE(found->deleted);
  EXPECT_EQ(found->fields, record.fields);
}

TEST_F(Records, KeepTextThatIsNoUtf8AndEveryNumber) {
  Record record;
  record.fields["subject"] = "\xff\xc3(";
  record.fields["big"] = std::uint64_t{18446744073709551615u};
  record.fields["small"] = std::int64_t{-9223372036854775807 - 1};
  record.fields["half"] = 0.5;
  auto inserted = write<Record>([&](Transaction& t) { return insert_record(t, record); });
  ASSERT_TRUE(inserted);
  EXPECT_EQ(find(inserted->id)->fields, record.fields);
}

TEST_F(Records, KeepEveryOctetAtEveryPlaceOfAText) {
  Record record;
  for (int octet = 0; octet < 256; ++octet)
    for (std::size_t place = 0; place < 18; ++place) {
      std::string text(18, 'x');
      text[place] = static_cast<char>(octet);
      record.fields["a" + std::to_string(octet) + "." + std::to_string(place)] = text;
      record.fields["k" + text] = text.substr(0, place + 1);
    }
  auto inserted = write<Record>([&](Transaction& t) { return insert_record(t, record); });
  ASSERT_TRUE(inserted);
  EXPECT_EQ(find(inserted->id)->fields, record.fields);
}

TEST_F(Records, AreNotTakenWhenTheyCouldNotBeReadBack) {
  boost::json::value deep = "x";
  for (int i = 0; i < 32; ++i) deep = boost::json::array{deep};
  Record record;
  record.fields["deep"] = deep;
  auto refused = write<Record>([&](Transaction& t) { return insert_record(t, record); });
  EXPECT_EQ(code_of(refused), "too-deep");
  record.fields["deep"] = deep.as_array().front();
  auto inserted = write<Record>([&](Transaction& t) { return insert_record(t, record); });
  ASSERT_TRUE(inserted);
  EXPECT_EQ(find(inserted->id)->fields, record.fields);
  record.fields["subject"] = std::string(65 << 20, 'x');
  EXPECT_EQ(code_of(write<Record>([&](Transaction& t) { return insert_record(t, record); })), "too-large");
}

TEST_F(Records, HaveTheirFieldsReplacedAtTheNextVersion) {
  Record record = make_record(RecordKind::contact, R"({"subject":"one"})");
  record.fields = fields(R"({"givenName":"two"})");
  record.owner = "boris@example.org";
  record.kind = RecordKind::task;  // what a record is stays
  const Record updated = update(record);
  EXPECT_EQ(updated.version, 2);
  EXPECT_EQ(updated.kind, RecordKind::contact);
  const auto found = find(record.id);
  EXPECT_EQ(found->version, 2);
  EXPECT_EQ(found->owner, "boris@example.org");
  EXPECT_EQ(found->kind, RecordKind::contact);
  EXPECT_EQ(found->fields, record.fields);
}

TEST_F(Records, AreNotUpdatedFromAStaleVersionAndTheErrorNamesTheCurrentOne) {
  Record record = make_record(RecordKind::task, R"({"subject":"one"})");
  const Record second = update(record);
  auto stale = write<Record>([&](Transaction& t) { return update_record(t, record); });
  ASSERT_EQ(code_of(stale), "stale-version");
  EXPECT_NE(stale.error().message.find("version 2"), std::string::npos);
  EXPECT_EQ(find(record.id)->version, 2);
  record.id = 999;
  EXPECT_EQ(code_of(write<Record>([&](Transaction& t) { return update_record(t, record); })), "no-record");
}

TEST_F(Records, HaveExternalIdsOnceEvenWhenDeleted) {
  Record record{.kind = RecordKind::task, .external_id = "crm-1"};
  auto first = write<Record>([&](Transaction& t) { return insert_record(t, record); });
  ASSERT_TRUE(first);
  auto taken = write<Record>([&](Transaction& t) { return insert_record(t, record); });
  ASSERT_EQ(code_of(taken), "external-id-taken");
  EXPECT_NE(taken.error().message.find("crm-1"), std::string::npos);
  first->deleted = true;
  first->external_id = "another";  // stays as it was
  update(*first);
  EXPECT_EQ(code_of(write<Record>([&](Transaction& t) { return insert_record(t, record); })),
            "external-id-taken");
  const auto by = [&](std::string_view id) {
    return read<std::optional<Record>>([&](Transaction& t) { return find_record_by_external_id(t, id); });
  };
  ASSERT_TRUE(by("crm-1"));
  EXPECT_EQ(by("crm-1")->id, first->id);
  EXPECT_TRUE(by("crm-1")->deleted);
  EXPECT_FALSE(by("another"));
}

TEST_F(Records, ThatWereDeletedAreFoundOnlyWhenAskedFor) {
  Record record = make_record(RecordKind::email, R"({"internetMessageId":"<a@b>","trackingToken":"T1"})");
  Record contact =
      make_record(RecordKind::contact, R"({"emailAddresses":{"EmailAddress1":"x@example.org"}})");
  record.deleted = contact.deleted = true;
  update(record);
  update(contact);
  EXPECT_FALSE(find(record.id));
  EXPECT_TRUE(find(record.id, true));
  EXPECT_TRUE(read<std::vector<Record>>([](Transaction& t) { return list_records(t, {}); }).empty());
  EXPECT_EQ(
      read<std::vector<Record>>([](Transaction& t) { return list_records(t, {.deleted_too = true}); }).size(),
      2u);
  EXPECT_EQ(read<std::int64_t>([](Transaction& t) { return count_records(t, RecordKind::email); }), 0);
  EXPECT_TRUE(read<std::vector<Record>>([](Transaction& t) {
                return find_emails_by_message_id(t, "<a@b>");
              }).empty());
  EXPECT_FALSE(read<std::optional<Record>>([](Transaction& t) { return find_email_by_token(t, "T1"); }));
  EXPECT_TRUE(by_address("x@example.org").empty());
  // And back again.
  contact = *find(contact.id, true);
  contact.deleted = false;
  update(contact);
  EXPECT_EQ(by_address("x@example.org"), std::vector{contact.id});
}

TEST_F(Records, AreListedByKindAndOwnerInPages) {
  std::vector<model::RecordId> tasks_of_anna;
  for (int i = 0; i < 10; ++i) {
    tasks_of_anna.push_back(make_record(RecordKind::task, "{}", "anna").id);
    make_record(RecordKind::task, "{}", "boris");
    make_record(RecordKind::contact, "{}", "anna");
  }
  const auto list = [&](const RecordQuery& query) {
    return ids(read<std::vector<Record>>([&](Transaction& t) { return list_records(t, query); }));
  };
  EXPECT_EQ(list({.kind = RecordKind::task, .owner = "anna"}), tasks_of_anna);
  EXPECT_EQ(list({.kind = RecordKind::task}).size(), 20u);
  EXPECT_EQ(list({.kind = RecordKind::task, .deleted_too = true}).size(), 20u);
  EXPECT_EQ(list({.owner = "anna"}).size(), 20u);
  EXPECT_EQ(list({}).size(), 30u);
  EXPECT_EQ(list({.kind = RecordKind::task, .owner = "anna", .after = tasks_of_anna[3], .most = 2}),
            (std::vector{tasks_of_anna[4], tasks_of_anna[5]}));
  EXPECT_EQ(list({.kind = RecordKind::task, .after = tasks_of_anna[9]}).size(), 1u);
  EXPECT_TRUE(list({.most = 0}).empty());
  EXPECT_TRUE(list({.most = -1}).empty());
  EXPECT_EQ(read<std::int64_t>([](Transaction& t) { return count_records(t, RecordKind::contact); }), 10);
}

TEST_F(Records, GiveEveryInsertAndUpdateTheNextNumberOfTheChangeSequence) {
  EXPECT_EQ(read<std::int64_t>([](Transaction& t) { return last_change(t); }), 0);
  auto three = write<std::vector<Record>>([](Transaction& t) -> Result<std::vector<Record>> {
    std::vector<Record> made;
    for (int i = 0; i < 3; ++i) {
      auto record = insert_record(t, {});
      if (!record) return fail(record.error());
      made.push_back(std::move(*record));
    }
    return made;
  });
  ASSERT_TRUE(three);
  // What was rolled back leaves no gap that a reader could wait for.
  (void)write<int>([](Transaction& t) -> Result<int> {
    if (auto record = insert_record(t, {}); !record) return fail(record.error());
    return fail(ErrorDomain::local, "no", "");
  }).has_value();
  update((*three)[0]);
  const auto changes = [&](std::int64_t after, int most) {
    std::vector<std::pair<std::int64_t, model::RecordId>> out;
    for (const RecordChange& change :
         read<std::vector<RecordChange>>([&](Transaction& t) { return changes_since(t, after, most); }))
      out.emplace_back(change.sequence, change.id);
    return out;
  };
  using Pairs = std::vector<std::pair<std::int64_t, model::RecordId>>;
  const auto a = (*three)[0].id, b = (*three)[1].id, c = (*three)[2].id;
  EXPECT_EQ(changes(0, 10), (Pairs{{2, b}, {3, c}, {4, a}}));
  EXPECT_EQ(changes(2, 1), (Pairs{{3, c}}));
  EXPECT_EQ(changes(4, 10), Pairs());
  EXPECT_EQ(read<std::int64_t>([](Transaction& t) { return last_change(t); }), 4);
}

TEST_F(Records, Invariant14MayShareAMessageIdAndAreAllFound) {
  const auto first = make_record(RecordKind::email, R"({"internetMessageId":"<a@b>","subject":"1"})");
  const auto second = make_record(RecordKind::email, R"({"internetMessageId":"<a@b>","subject":"2"})");
  make_record(RecordKind::email, R"({"internetMessageId":"<A@b>"})");
  make_record(RecordKind::task, R"({"internetMessageId":"<a@b>"})");
  make_record(RecordKind::email, R"({"internetMessageId":null})");
  EXPECT_EQ(
      ids(read<std::vector<Record>>([](Transaction& t) { return find_emails_by_message_id(t, "<a@b>"); })),
      (std::vector{first.id, second.id}));
  EXPECT_TRUE(
      read<std::vector<Record>>([](Transaction& t) { return find_emails_by_message_id(t, ""); }).empty());
  auto changed = first;
  changed.fields["internetMessageId"] = "<new@b>";
  update(changed);
  EXPECT_EQ(
      ids(read<std::vector<Record>>([](Transaction& t) { return find_emails_by_message_id(t, "<a@b>"); })),
      std::vector{second.id});
}

TEST_F(Records, AreFoundByTokenTheYoungestFirst) {
  make_record(RecordKind::email, R"({"trackingToken":"SYN:1"})");
  const auto second = make_record(RecordKind::email, R"({"trackingToken":"SYN:1"})");
  const auto found =
      read<std::optional<Record>>([](Transaction& t) { return find_email_by_token(t, "SYN:1"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, second.id);
  EXPECT_FALSE(read<std::optional<Record>>([](Transaction& t) { return find_email_by_token(t, "SYN:2"); }));
}

TEST_F(Records, AreFoundByTheHeadOfTheConversationIndex) {
  // 22 octets of header, and an answer's five more.
  const std::string header = "AQHZ1234567890abcdefghijklmno";
  const auto first = make_record(RecordKind::email, R"({"conversationIndex":")" + header + "Q==\"}");
  const auto by = [&](const std::string& index) {
    const auto found =
        read<std::optional<Record>>([&](Transaction& t) { return find_email_by_conversation(t, index); });
    return found ? found->id : 0;
  };
  EXPECT_EQ(by(header + "Q=="), first.id);
  EXPECT_EQ(by(header + "gAgICAg="), 0) << "another conversation: the last octet differs";
  EXPECT_EQ(by(header + "QAgICAg="), first.id) << "an answer";
  EXPECT_EQ(by("AQHZ"), 0);
  EXPECT_EQ(by("not base64!"), 0);
  EXPECT_EQ(by(""), 0);
}

TEST_F(Records, ReferToTheContentsThatTheirFieldsName) {
  const auto contents_of = [&](model::RecordId id) {
    return read<std::vector<std::string>>([&](Transaction& t) -> Result<std::vector<std::string>> {
      Query query(t.impl(), "SELECT lower(hex(sha256)) FROM record_content WHERE record = ?1 ORDER BY 1", id);
      return read_all<std::string>(query, [](const Query& row) { return row.text(0); });
    });
  };
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  Record record = make_record(RecordKind::email, R"({"mime":{"sha256":")" + a + R"(","size":3},
      "attachments":[{"name":"x","sha256":")" + b + R"("},{"name":"y","sha256":")" +
                                                     b + R"("},{"name":"z","id":"7"}]})");
  EXPECT_EQ(contents_of(record.id), (std::vector{a, b}));
  record.fields.erase("attachments");
  update(record);
  EXPECT_EQ(contents_of(record.id), std::vector{a});
  record = *find(record.id);
  record.fields["photo"] = boost::json::object{{"sha256", b}};
  update(record);
  EXPECT_EQ(contents_of(record.id), (std::vector{a, b}));
  auto bad = write<Record>([&](Transaction& t) {
    return insert_record(t, {.fields = {{"photo", boost::json::object{{"sha256", "../x"}}}}});
  });
  EXPECT_EQ(code_of(bad), "bad-content");
}

TEST_F(Records, AreFoundByAddressContactsFirst) {
  make_record(RecordKind::email,
              R"({"from":{"name":"Anna","emailAddress":"Anna@Example.ORG"},
                                    "toRecipients":[{"emailAddress":"boris@example.org"},{"name":"nobody"},7,null],
                                    "ccRecipients":null})");
  const auto contact =
      make_record(RecordKind::contact,
                  R"({"emailAddresses":{"EmailAddress1":" anna@example.org ","EmailAddress2":null}})");
  const auto meeting = make_record(RecordKind::appointment,
                                   R"({"organizer":{"emailAddress":"boris@example.org"},
                                       "requiredAttendees":[{"mailbox":{"emailAddress":"ANNA@example.org"}}]})");
  EXPECT_EQ(by_address("anna@EXAMPLE.org"), (std::vector{contact.id, meeting.id}));
  EXPECT_EQ(by_address("boris@example.org"), std::vector{meeting.id});
  EXPECT_TRUE(by_address("anna@example.org", RecordKind::email).empty()) << "mail makes nobody known";
  EXPECT_EQ(by_address("anna@example.org", RecordKind::task), std::vector<model::RecordId>());
  EXPECT_TRUE(by_address("").empty());
  EXPECT_TRUE(by_address("nobody").empty());
}

TEST_F(Records, AreFoundByTheAddressesOfTheirLatestVersionOnly) {
  Record contact = make_record(RecordKind::contact,
                               R"({"emailAddresses":{"EmailAddress1":"a@x.org","EmailAddress2":"b@x.org"}})");
  contact.fields = fields(R"({"emailAddresses":{"EmailAddress1":"c@x.org","EmailAddress2":"b@x.org"}})");
  update(contact);
  EXPECT_TRUE(by_address("a@x.org").empty());
  EXPECT_EQ(by_address("b@x.org"), std::vector{contact.id});
  EXPECT_EQ(by_address("c@x.org"), std::vector{contact.id});
}

TEST_F(Records, ThatWaitToBeSentAreListedOldestFirst) {
  const auto outgoing = [&](std::string_view status, const std::string& owner, std::string_view direction) {
    return make_record(
        RecordKind::email,
        R"({"direction":")" + std::string(direction) + R"(","statusCode":")" + std::string(status) + "\"}",
        owner);
  };
  const auto first = outgoing("pendingSend", "anna", "outgoing");
  outgoing("sent", "anna", "outgoing");
  outgoing("pendingSend", "boris", "outgoing");
  outgoing("pendingSend", "anna", "incoming");
  const auto last = outgoing("pendingSend", "anna", "outgoing");
  const auto list = [&](int most) {
    return ids(read<std::vector<Record>>(
        [&](Transaction& t) { return list_outgoing(t, "pendingSend", "anna", most); }));
  };
  EXPECT_EQ(list(10), (std::vector{first.id, last.id}));
  EXPECT_EQ(list(1), std::vector{first.id});
  Record sent = first;
  sent.fields["statusCode"] = "sent";
  update(sent);
  EXPECT_EQ(list(10), std::vector{last.id});
}

}  // namespace
}  // namespace syncline::store
