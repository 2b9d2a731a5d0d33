// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <set>

#include "base/base64.hpp"
#include "tests/unit/exchange_sim/exchange_fixture.hpp"

namespace exchange_sim::test {
namespace {

constexpr std::string_view kMail =
    "From: \"Dana\" <dana@partner.example>\r\nTo: anna@example.com\r\nSubject: "
    "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
    "Date: Mon, 02 Mar 2026 08:00:00 +0100\r\nMessage-ID: <1@partner.example>\r\nContent-Type: "
    "multipart/mixed; "
    "boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello \x01 "
    "there\r\n--b\r\nContent-Type: "
    "application/pdf; name=\"x.pdf\"\r\nContent-Disposition: attachment; filename=\"../x.pdf\"\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--b--\r\n";

std::string find_in_inbox(std::string_view inside, std::string_view view = "") {
  return "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>" +
         std::string(view) + std::string(inside) +
         "<m:ParentFolderIds><t:DistinguishedFolderId Id=\"inbox\"/></m:ParentFolderIds></m:FindItem>";
}

TEST_F(ExchangeTest, MimeIsKeptByteForByte) {
  const auto id = service_.deliver("anna@example.com", kMail);
  ASSERT_TRUE(id);
  const Element item = get(*id, "anna@example.com", "<t:IncludeMimeContent>true</t:IncludeMimeContent>");
  EXPECT_EQ(kMail, syncline::base64_decode(text_at(item, "MimeContent")).value());
  EXPECT_EQ(
      "Gr\xC3\xBC\xC3\x9F"
      "e",
      text_at(item, "Subject"));
  EXPECT_EQ("dana@partner.example", text_at(item, "From/Mailbox/EmailAddress"));
  EXPECT_EQ("2026-03-02T07:00:00Z", text_at(item, "DateTimeSent"));
  EXPECT_EQ("Hello \xEF\xBF\xBD there", text_at(item, "Body")) << "a control character never leaves as it is";
  EXPECT_EQ("../x.pdf", text_at(item, "Attachments/FileAttachment/Name"));
  EXPECT_EQ("false", text_at(item, "IsRead"));
}

TEST_F(ExchangeTest, DeliveryReportsHaveAClassOfTheirOwn) {
  const auto class_of = [&](std::string_view action) {
    const auto id = service_.deliver(
        "anna@example.com",
        "Subject: report\r\nContent-Type: multipart/report; report-type=delivery-status; "
        "boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns;x\r\n\r\nFinal-Recipient: rfc822;a@b.c\r\nAction: " +
            std::string(action) + "\r\n--b--\r\n");
    return text_at(get(*id), "ItemClass");
  };
  EXPECT_EQ("REPORT.IPM.Note.NDR", class_of("failed"));
  EXPECT_EQ("REPORT.IPM.Note.DR", class_of("delivered"));
  EXPECT_EQ("IPM.Note", text_at(get(*service_.deliver("anna@example.com", kMail)), "ItemClass"));
}

TEST_F(ExchangeTest, SyncGivesNewestFirstInPagesAndEndsOnce) {
  ASSERT_TRUE(service_.generate("anna@example.com", {.seed = 3, .messages = 1300}));
  std::set<std::string> seen;
  std::string state;
  std::size_t pages = 0;
  for (bool last = false; !last; ++pages) {
    const SyncPage page = sync("inbox", state);
    ASSERT_EQ("NoError", page.code);
    ASSERT_LE(page.changes.size(), 512U);
    for (const Change& c : page.changes) {
      EXPECT_EQ("Create", c.what);
      EXPECT_TRUE(seen.insert(c.id).second) << "given twice";
    }
    state = page.state;
    last = page.last;
  }
  EXPECT_EQ(1300U, seen.size());
  EXPECT_EQ(3U, pages);
  const auto newest = service_.deliver("anna@example.com", kMail);
  EXPECT_EQ(*newest, sync("inbox", "", 1).changes.at(0).id);
  const SyncPage next = sync("inbox", state);
  ASSERT_EQ(1U, next.changes.size());
  EXPECT_EQ(*newest, next.changes[0].id);
  EXPECT_TRUE(next.last);
}

TEST_F(ExchangeTest, SyncTellsUpdatesReadFlagsAndDeletesApart) {
  const std::string a = *service_.deliver("anna@example.com", kMail);
  const std::string b = *service_.deliver("anna@example.com", kMail);
  const std::string c = *service_.deliver("anna@example.com", kMail);
  const std::string state = sync("inbox", "").state;
  ASSERT_TRUE(service_.set_read("anna@example.com", a, true));
  ASSERT_TRUE(service_.edit_item("anna@example.com", b, "item:Subject", "changed"));
  ASSERT_TRUE(service_.delete_item("anna@example.com", c));
  const SyncPage page = sync("inbox", state);
  ASSERT_EQ(3U, page.changes.size());
  const auto what = [&](const std::string& id) {
    for (const Change& change : page.changes)
      if (change.id == id) return change.what + change.is_read;
    return std::string("nothing");
  };
  EXPECT_EQ("ReadFlagChangetrue", what(a));
  EXPECT_EQ("Update", what(b));
  EXPECT_EQ("Delete", what(c));
  EXPECT_TRUE(sync("inbox", page.state).changes.empty());
}

TEST_F(ExchangeTest, ChangesBetweenPagesAreNotLost) {
  std::vector<std::string> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(*service_.deliver("anna@example.com", kMail));
  const SyncPage one = sync("inbox", "", 2);
  ASSERT_TRUE(service_.edit_item("anna@example.com", ids[0], "item:Subject", "edited between pages"));
  ASSERT_TRUE(service_.delete_item("anna@example.com", ids[1]));
  const std::string late = *service_.deliver("anna@example.com", kMail);
  std::set<std::string> have;
  const auto apply = [&](const SyncPage& page) {
    for (const Change& c : page.changes) {
      if (c.what == "Delete") {
        have.erase(c.id);
      } else {
        have.insert(c.id);
      }
    }
  };
  apply(one);
  SyncPage page = one;
  for (int i = 0; i < 10; ++i) {
    page = sync("inbox", page.state, 2);
    apply(page);
    if (page.last && page.changes.empty()) break;
  }
  EXPECT_EQ((std::set<std::string>{ids[0], ids[2], ids[3], ids[4], ids[5], late}), have);
}

TEST_F(ExchangeTest, SyncStatesOfOthersAndGarbledOnesAreRefused) {
  const std::string inbox = sync("inbox", "").state;
  EXPECT_EQ("ErrorInvalidSyncStateData", sync("drafts", inbox).code);
  EXPECT_EQ("ErrorInvalidSyncStateData", sync("inbox", inbox, 512, "ben@example.com").code);
  std::string garbled = inbox;
  garbled[garbled.size() / 2] = garbled[garbled.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ("ErrorInvalidSyncStateData", sync("inbox", garbled).code);
  EXPECT_EQ("ErrorInvalidSyncStateData", sync("inbox", "no state").code);
  ASSERT_TRUE(service_.invalidate_sync_states("anna@example.com", "inbox"));
  EXPECT_EQ("ErrorInvalidSyncStateData", sync("inbox", inbox).code);
  EXPECT_EQ("NoError", sync("inbox", "").code);
}

TEST_F(ExchangeTest, PublicFoldersAreNotSynchronised) {
  EXPECT_EQ("ErrorInvalidFolderTypeForOperation", sync("publicfoldersroot", "").code);
}

TEST_F(ExchangeTest, FindItemIsCappedAndEndsOnTheLastPage) {
  ASSERT_TRUE(service_.generate("anna@example.com", {.seed = 3, .messages = 2345}));
  std::size_t seen = 0;
  bool last = false;
  for (std::size_t offset = 0; !last;) {
    const Element message =
        first(find_in_inbox("", "<m:IndexedPageItemView MaxEntriesReturned=\"5000\" Offset=\"" +
                                    std::to_string(offset) + "\" BasePoint=\"Beginning\"/>"));
    const Element* root = message.child("RootFolder");
    ASSERT_NE(nullptr, root);
    EXPECT_EQ("2345", root->attribute_or("TotalItemsInView", ""));
    const std::size_t count = at(message, "RootFolder/Items")->children.size();
    EXPECT_LE(count, 1000U);
    seen += count;
    offset += count;
    last = root->attribute_or("IncludesLastItemInRange", "") == "true";
  }
  EXPECT_EQ(2345U, seen);
}

TEST_F(ExchangeTest, RestrictionsOfAllKindsSelect) {
  const auto add = [&](const char* subject, const char* importance) {
    return create("<t:Message><t:Subject>" + std::string(subject) + "</t:Subject><t:Importance>" +
                      importance +
                      "</t:Importance><t:ExtendedProperty><t:ExtendedFieldURI "
                      "PropertySetId=\"00020329-0000-0000-C000-000000000046\" PropertyName=\"op\" "
                      "PropertyType=\"String\"/><t:Value>id-" +
                      subject + "</t:Value></t:ExtendedProperty></t:Message>",
                  "MessageDisposition=\"SaveOnly\"", "inbox");
  };
  add("alpha", "High");
  add("beta", "Low");
  add("alphabet", "Normal");
  const auto count = [&](const std::string& expression) {
    const Element message = first(find_in_inbox("<m:Restriction>" + expression + "</m:Restriction>"));
    EXPECT_EQ("NoError", code_of(message));
    const Element* items = at(message, "RootFolder/Items");
    return items == nullptr ? std::size_t{99} : items->children.size();
  };
  const std::string subject = "<t:FieldURI FieldURI=\"item:Subject\"/>";
  const auto constant = [](const std::string& v) {
    return "<t:FieldURIOrConstant><t:Constant Value=\"" + v + "\"/></t:FieldURIOrConstant>";
  };
  EXPECT_EQ(1U, count("<t:IsEqualTo>" + subject + constant("beta") + "</t:IsEqualTo>"));
  EXPECT_EQ(2U, count("<t:IsNotEqualTo>" + subject + constant("beta") + "</t:IsNotEqualTo>"));
  EXPECT_EQ(2U, count("<t:Contains ContainmentMode=\"Prefixed\" ContainmentComparison=\"IgnoreCase\">" +
                      subject + "<t:Constant Value=\"ALPHA\"/></t:Contains>"));
  EXPECT_EQ(1U, count("<t:Contains ContainmentMode=\"Substring\" ContainmentComparison=\"Exact\">" + subject +
                      "<t:Constant Value=\"habe\"/></t:Contains>"));
  EXPECT_EQ(1U, count("<t:And><t:Contains ContainmentMode=\"Prefixed\">" + subject +
                      "<t:Constant Value=\"alpha\"/></t:Contains><t:IsEqualTo><t:FieldURI "
                      "FieldURI=\"item:Importance\"/>" +
                      constant("High") + "</t:IsEqualTo></t:And>"));
  EXPECT_EQ(2U, count("<t:Not><t:IsEqualTo>" + subject + constant("beta") + "</t:IsEqualTo></t:Not>"));
  const std::string op =
      "<t:ExtendedFieldURI DistinguishedPropertySetId=\"PublicStrings\" PropertyName=\"op\" "
      "PropertyType=\"String\"/>";
  EXPECT_EQ(1U, count("<t:IsEqualTo>" + op + constant("id-beta") + "</t:IsEqualTo>"))
      << "both spellings of the set";
  EXPECT_EQ(3U, count("<t:Exists>" + op + "</t:Exists>"));
  EXPECT_EQ(3U, count("<t:IsGreaterThanOrEqualTo><t:FieldURI FieldURI=\"item:DateTimeReceived\"/>" +
                      constant("2026-03-02T08:59:59Z") + "</t:IsGreaterThanOrEqualTo>"));
  std::string deep;
  for (int i = 0; i < 60; ++i) deep += "<t:Not>";
  deep += "<t:Exists>" + op + "</t:Exists>";
  for (int i = 0; i < 60; ++i) deep += "</t:Not>";
  EXPECT_EQ("ErrorRestrictionTooComplex",
            code_of(first(find_in_inbox("<m:Restriction>" + deep + "</m:Restriction>"))));
}

TEST_F(ExchangeTest, NeverOverwriteRefusesAStaleKey) {
  const std::string id = create("<t:Contact><t:GivenName>Dan</t:GivenName></t:Contact>", "");
  const std::string key = key_in(get(id));
  const std::string set =
      "<t:SetItemField><t:FieldURI FieldURI=\"contacts:GivenName\"/><t:Contact><t:GivenName>Don"
      "</t:GivenName></t:Contact></t:SetItemField>";
  EXPECT_EQ("NoError", update(id, key, set));
  EXPECT_EQ("ErrorIrresolvableConflict", update(id, key, set));
  EXPECT_EQ("NoError", update(id, key, set, "ConflictResolution=\"AlwaysOverwrite\""));
  EXPECT_EQ("Don", text_at(get(id), "GivenName"));
}

TEST_F(ExchangeTest, AMoveGivesANewIdAndTheOldOneIsGone) {
  const std::string id = *service_.deliver("anna@example.com", kMail);
  const Element message = first(
      "<m:MoveItem><m:ToFolderId><t:DistinguishedFolderId Id=\"junkemail\"/></m:ToFolderId>"
      "<m:ItemIds><t:ItemId Id=\"" +
      id + "\"/></m:ItemIds></m:MoveItem>");
  const std::string moved = id_in(*at(message, "Items/Message"));
  EXPECT_NE(id, moved);
  EXPECT_EQ(
      "Gr\xC3\xBC\xC3\x9F"
      "e",
      text_at(get(moved), "Subject"));
  EXPECT_EQ("ErrorItemNotFound", service_.item_xml("anna@example.com", id).error().code);
}

TEST_F(ExchangeTest, ErrorsStandInThePlaceOfTheirId) {
  const std::string id = *service_.deliver("anna@example.com", kMail);
  const std::string gone = *service_.deliver("anna@example.com", kMail);
  ASSERT_TRUE(service_.delete_item("anna@example.com", gone, true));
  const Element reply = ask(
      "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds><t:ItemId Id=\"" +
      gone + "\"/><t:ItemId Id=\"" + id + "\"/><t:ItemId Id=\"AAMkgarbled\"/></m:ItemIds></m:GetItem>");
  const auto& messages = reply.child("ResponseMessages")->children;
  ASSERT_EQ(3U, messages.size());
  EXPECT_EQ("ErrorItemNotFound", code_of(messages[0]));
  EXPECT_EQ("NoError", code_of(messages[1]));
  EXPECT_EQ("ErrorInvalidIdMalformed", code_of(messages[2]));
}

TEST_F(ExchangeTest, SendItemDeliversOnceAndRefusesAStaleKey) {
  const std::string draft = create(
      "<t:Message><t:Subject>Offer</t:Subject><t:Body BodyType=\"Text\">text</t:Body>"
      "<t:ToRecipients><t:Mailbox><t:EmailAddress>ben@example.com</t:EmailAddress>"
      "</t:Mailbox><t:Mailbox><t:EmailAddress>out@elsewhere.example</t:EmailAddress>"
      "</t:Mailbox></t:ToRecipients></t:Message>");
  EXPECT_TRUE(service_.sent_mail().empty());
  const std::string stale = key_in(get(draft));
  const Element attached =
      first("<m:CreateAttachment><m:ParentItemId Id=\"" + draft +
            "\"/><m:Attachments><t:FileAttachment><t:Name>a.txt</t:Name><t:Content>YWJj</t:Content>"
            "</t:FileAttachment></m:Attachments></m:CreateAttachment>");
  const std::string key =
      *at(attached, "Attachments/FileAttachment/AttachmentId")->attribute("RootItemChangeKey");
  const auto send = [&](const std::string& with) {
    return code_of(first("<m:SendItem SaveItemToFolder=\"true\"><m:ItemIds><t:ItemId Id=\"" + draft +
                         "\" ChangeKey=\"" + with + "\"/></m:ItemIds></m:SendItem>"));
  };
  EXPECT_EQ("ErrorStaleObject", send(stale));
  EXPECT_TRUE(service_.sent_mail().empty());
  EXPECT_EQ("NoError", send(key));
  EXPECT_EQ("ErrorItemNotFound", send(key));
  const auto mails = service_.sent_mail("anna@example.com");
  ASSERT_EQ(2U, mails.size());
  EXPECT_EQ("ben@example.com", mails[0].to);
  EXPECT_TRUE(mails[0].delivered);
  EXPECT_FALSE(mails[1].delivered);
  const auto inbox = service_.list("ben@example.com", "inbox").value();
  ASSERT_EQ(1U, inbox.size());
  EXPECT_EQ(1U, inbox[0].attachments);
  EXPECT_FALSE(inbox[0].is_read);
  EXPECT_EQ(1U, service_.list("anna@example.com", "sentitems")->size());
  EXPECT_TRUE(service_.list("anna@example.com", "drafts")->empty());
}

TEST_F(ExchangeTest, MailForPeopleElsewhereComesOutAsOneMessageWithoutBcc) {
  std::vector<OutgoingMail> out;
  service_.on_outgoing([&](OutgoingMail mail) { out.push_back(std::move(mail)); });
  const auto recipient = [](std::string_view address) {
    return "<t:Mailbox><t:EmailAddress>" + std::string(address) + "</t:EmailAddress></t:Mailbox>";
  };
  const auto send = [&](std::string_view content) {
    return code_of(first("<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"><m:Items><t:Message>" +
                         std::string(content) + "</t:Message></m:Items></m:CreateItem>"));
  };
  EXPECT_EQ("NoError",
            send("<t:Subject>Offer</t:Subject><t:Body BodyType=\"Text\">Gr\xC3\xBC\xC3\x9F</t:Body>"
                 "<t:ExtendedProperty><t:ExtendedFieldURI DistinguishedPropertySetId=\"InternetHeaders\" "
                 "PropertyName=\"X-Ours\" PropertyType=\"String\"/><t:Value>yes</t:Value>"
                 "</t:ExtendedProperty><t:ExtendedProperty><t:ExtendedFieldURI "
                 "DistinguishedPropertySetId=\"InternetHeaders\" PropertyName=\"X: y&#10;Z\" "
                 "PropertyType=\"String\"/><t:Value>no</t:Value></t:ExtendedProperty><t:ToRecipients>" +
                 recipient("out@elsewhere.example") + recipient("ben@example.com") +
                 "</t:ToRecipients><t:BccRecipients>" + recipient("secret@elsewhere.example") +
                 recipient("OUT@elsewhere.example") + "</t:BccRecipients>"));
  ASSERT_EQ(1U, out.size()) << "one message for all who are elsewhere";
  EXPECT_EQ((std::vector<std::string>{"out@elsewhere.example", "secret@elsewhere.example"}), out[0].to);
  EXPECT_EQ("anna@example.com", out[0].from);
  EXPECT_EQ("Offer", out[0].subject);
  const auto& made = out[0].mime;
  EXPECT_NE(made.find("From: \"Anna Berg\" <anna@example.com>\r\n"), std::string::npos) << made;
  EXPECT_NE(made.find("Message-ID: " + out[0].message_id + "\r\n"), std::string::npos) << made;
  EXPECT_NE(made.find("X-Ours: yes\r\n"), std::string::npos) << made;
  EXPECT_EQ(made.find("X: y"), std::string::npos) << made;
  EXPECT_EQ(made.find("secret@"), std::string::npos) << made;
  const std::string sent = service_.list("anna@example.com", "sentitems")->at(0).id;
  EXPECT_EQ(out[0].message_id,
            service_.property("anna@example.com", sent, "message:InternetMessageId").value());
  const std::string received = service_.list("ben@example.com", "inbox")->at(0).id;
  EXPECT_EQ(out[0].message_id,
            service_.property("ben@example.com", received, "message:InternetMessageId").value());

  const std::string own =
      "Subject: mine\r\nBcc: secret@elsewhere.example,\r\n x@y.example\r\nX-Last: 1\r\n\r\nBcc: body\r\n";
  EXPECT_EQ("NoError",
            send("<t:MimeContent>" + syncline::base64_encode(own) + "</t:MimeContent><t:ToRecipients>" +
                 recipient("out@elsewhere.example") + "</t:ToRecipients>"));
  ASSERT_EQ(2U, out.size());
  EXPECT_TRUE(out[1].mime.ends_with("Subject: mine\r\nX-Last: 1\r\n\r\nBcc: body\r\n")) << out[1].mime;
  EXPECT_TRUE(out[1].mime.starts_with(
      "From: \"Anna Berg\" <anna@example.com>\r\nMessage-ID: " + out[1].message_id + "\r\nDate: "))
      << out[1].mime;

  service_.on_outgoing({});
  EXPECT_EQ("NoError", send("<t:ToRecipients>" + recipient("out@elsewhere.example") + "</t:ToRecipients>"));
  EXPECT_EQ(2U, out.size());
}

TEST_F(ExchangeTest, AttachmentsComeBackWhole) {
  const std::string id = create("<t:Message><t:Subject>m</t:Subject></t:Message>");
  std::string big(300'000, 'x');
  const Element made = first("<m:CreateAttachment><m:ParentItemId Id=\"" + id +
                             "\"/><m:Attachments><t:FileAttachment><t:Name>big</t:Name><t:Content>" +
                             syncline::base64_encode(big) +
                             "</t:Content></t:FileAttachment></m:Attachments></m:CreateAttachment>");
  const std::string attachment = *at(made, "Attachments/FileAttachment/AttachmentId")->attribute("Id");
  const Element got = first("<m:GetAttachment><m:AttachmentIds><t:AttachmentId Id=\"" + attachment +
                            "\"/></m:AttachmentIds></m:GetAttachment>");
  EXPECT_EQ(big, syncline::base64_decode(text_at(got, "Attachments/FileAttachment/Content")).value());
  const Element item =
      first("<m:CreateAttachment><m:ParentItemId Id=\"" + id +
            "\"/><m:Attachments><t:ItemAttachment><t:Name>inner</t:Name><t:Message><t:Subject>deep"
            "</t:Subject></t:Message></t:ItemAttachment></m:Attachments></m:CreateAttachment>");
  const std::string inner = *at(item, "Attachments/ItemAttachment/AttachmentId")->attribute("Id");
  const Element opened = first("<m:GetAttachment><m:AttachmentIds><t:AttachmentId Id=\"" + inner +
                               "\"/></m:AttachmentIds></m:GetAttachment>");
  EXPECT_EQ("deep", text_at(opened, "Attachments/ItemAttachment/Message/Subject"));
  const Element deleted = first("<m:DeleteAttachment><m:AttachmentIds><t:AttachmentId Id=\"" + attachment +
                                "\"/></m:AttachmentIds></m:DeleteAttachment>");
  EXPECT_EQ(id, *deleted.child("RootItemId")->attribute("RootItemId"));
  EXPECT_EQ("ErrorItemNotFound", code_of(first("<m:GetAttachment><m:AttachmentIds><t:AttachmentId Id=\"" +
                                               attachment + "\"/></m:AttachmentIds></m:GetAttachment>")));
}

TEST_F(ExchangeTest, FoldersAreMadeOnceAndFoundDeep) {
  const std::string make =
      "<m:CreateFolder><m:ParentFolderId><t:DistinguishedFolderId Id=\"root\"/></m:ParentFolderId>"
      "<m:Folders><t:Folder><t:DisplayName>claim</t:DisplayName></t:Folder></m:Folders></m:CreateFolder>";
  EXPECT_EQ("NoError", code_of(first(make)));
  EXPECT_EQ("ErrorFolderExists", code_of(first(make)));
  const Element found = first(
      "<m:FindFolder Traversal=\"Deep\"><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape>"
      "</m:FolderShape><m:ParentFolderIds><t:DistinguishedFolderId Id=\"root\"/></m:ParentFolderIds>"
      "</m:FindFolder>");
  EXPECT_GT(at(found, "RootFolder/Folders")->children.size(), 15U);
  const Element tree = first(
      "<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
      "</m:SyncFolderHierarchy>");
  const std::string state(tree.child_text("SyncState"));
  ASSERT_TRUE(service_.add_folder("anna@example.com", "inbox", "Projects"));
  const Element next = first(
      "<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
      "<m:SyncState>" +
      state + "</m:SyncState></m:SyncFolderHierarchy>");
  ASSERT_EQ(1U, next.child("Changes")->children.size());
  EXPECT_EQ("Projects", text_at(next, "Changes/Create/Folder/DisplayName"));
  ASSERT_TRUE(service_.delete_folder("anna@example.com", "inbox/Projects"));
  const Element gone = first(
      "<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
      "<m:SyncState>" +
      std::string(next.child_text("SyncState")) + "</m:SyncState></m:SyncFolderHierarchy>");
  EXPECT_NE(nullptr, at(gone, "Changes/Delete/FolderId"));
}

TEST_F(ExchangeTest, PullEventsAreGivenAfterTheirWatermark) {
  const Element made = first(
      "<m:Subscribe><m:PullSubscriptionRequest><t:FolderIds><t:DistinguishedFolderId Id=\"inbox\"/>"
      "</t:FolderIds><t:EventTypes><t:EventType>NewMailEvent</t:EventType><t:EventType>DeletedEvent"
      "</t:EventType></t:EventTypes><t:Timeout>10</t:Timeout></m:PullSubscriptionRequest></m:Subscribe>");
  const std::string id(made.child_text("SubscriptionId"));
  const auto events = [&](const std::string& watermark) {
    return first("<m:GetEvents><m:SubscriptionId>" + id + "</m:SubscriptionId><m:Watermark>" + watermark +
                 "</m:Watermark></m:GetEvents>");
  };
  const std::string begin(made.child_text("Watermark"));
  EXPECT_NE(nullptr, at(events(begin), "Notification/StatusEvent"));
  const std::string mail = *service_.deliver("anna@example.com", kMail);
  const Element one = events(begin);
  EXPECT_EQ(mail, *at(one, "Notification/NewMailEvent/ItemId")->attribute("Id"));
  const std::string after = text_at(one, "Notification/NewMailEvent/Watermark");
  EXPECT_NE(nullptr, at(events(after), "Notification/StatusEvent"));
  clock_.time += std::chrono::minutes(11);
  EXPECT_EQ("ErrorExpiredSubscription", code_of(events(after)));
  EXPECT_EQ("ErrorSubscriptionNotFound", code_of(events(after)));
}

TEST_F(ExchangeTest, StreamedEventsAreDrainedInOrder) {
  std::vector<std::string> rung;
  service_.on_event([&](const std::string& id) { rung.push_back(id); });
  const Element made = first(
      "<m:Subscribe><m:StreamingSubscriptionRequest SubscribeToAllFolders=\"true\"><t:EventTypes>"
      "<t:EventType>CreatedEvent</t:EventType><t:EventType>MovedEvent</t:EventType></t:EventTypes>"
      "</m:StreamingSubscriptionRequest></m:Subscribe>");
  const std::string id(made.child_text("SubscriptionId"));
  const std::string mail = *service_.deliver("anna@example.com", kMail);
  ASSERT_TRUE(service_.move_item("anna@example.com", mail, "junkemail"));
  ASSERT_TRUE(service_.deliver("ben@example.com", kMail));
  const auto events = service_.drain({id});
  ASSERT_EQ(2U, events.size());
  EXPECT_TRUE(events[0].event_xml.starts_with("<t:CreatedEvent>"));
  EXPECT_TRUE(events[1].event_xml.starts_with("<t:MovedEvent>"));
  EXPECT_EQ(2U, rung.size());
  EXPECT_TRUE(service_.drain({id}).empty());
  service_.drop_subscriptions("anna@example.com");
  const auto unusable =
      service_.unusable_subscriptions({"", "anna@example.com", "anna@example.com", ""}, {id});
  ASSERT_EQ(1U, unusable.size());
  EXPECT_EQ(id, unusable[0].id);
  EXPECT_FALSE(unusable[0].is_denied);
}

TEST_F(ExchangeTest, TheSameSeedAndClockGiveTheSameReplies) {
  const auto run = [] {
    FakeClock clock;
    syncline::SeededRandom random(42);
    ExchangeService service(clock, random);
    EXPECT_TRUE(service.add_mailbox({"a@example.com", "A", "", {}}));
    EXPECT_TRUE(service.generate(
        "a@example.com", {.seed = 5, .messages = 50, .appointments = 20, .contacts = 10, .tasks = 10}));
    std::string all;
    for (const char* folder : {"inbox", "calendar", "contacts", "tasks"}) {
      const auto items = service.list("a@example.com", folder).value();
      for (const ItemView& item : items) all += service.item_xml("a@example.com", item.id).value();
    }
    return all;
  };
  const std::string once = run();
  EXPECT_EQ(once, run());
  EXPECT_GT(once.size(), 50'000U);
}

TEST_F(ExchangeTest, HostileRequestsAreFaults) {
  const Caller caller{"", "anna@example.com", "anna@example.com", ""};
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<a>";
  for (const std::string& request :
       {std::string("not xml"), std::string(), deep, std::string("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"),
        std::string(
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body/></s:Envelope>")})
    EXPECT_EQ(500, service_.handle(caller, request).http_status) << request.substr(0, 60);
  EXPECT_EQ("Fault", ask("<m:UploadItems/>").name);
  const Caller nobody{"", "x@example.com", "nobody@example.com", ""};
  EXPECT_EQ(
      500,
      service_
          .handle(
              nobody,
              "<s:Envelope "
              "xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><GetItem/></s:Body></s:Envelope>")
          .http_status);
}

TEST_F(ExchangeTest, NamesAreResolvedInDirectoryAndContacts) {
  const auto ask_for = [&](const std::string& name) {
    return first("<m:ResolveNames ReturnFullContactData=\"true\"><m:UnresolvedEntry>" + name +
                 "</m:UnresolvedEntry></m:ResolveNames>");
  };
  EXPECT_EQ("ben@example.com", text_at(ask_for("Frost"), "ResolutionSet/Resolution/Mailbox/EmailAddress"));
  EXPECT_EQ("ErrorNameResolutionNoResults", code_of(ask_for("zzz")));
  create(
      "<t:Contact><t:DisplayName>Benjamin</t:DisplayName><t:EmailAddresses><t:Entry Key=\"EmailAddress1\">"
      "b@partner.example</t:Entry></t:EmailAddresses></t:Contact>",
      "");
  EXPECT_EQ("ErrorNameResolutionMultipleResults", code_of(ask_for("ben")));
}

TEST_F(ExchangeTest, IdsAreConvertedThereAndBack) {
  const std::string id = *service_.deliver("anna@example.com", kMail);
  const auto convert = [&](const std::string& from, const std::string& to, const std::string& value) {
    return std::string(*first("<m:ConvertId DestinationFormat=\"" + to +
                              "\"><m:SourceIds><t:AlternateId Format=\"" + from + "\" Id=\"" + value +
                              "\" Mailbox=\"anna@example.com\"/></m:SourceIds></m:ConvertId>")
                            .child("AlternateId")
                            ->attribute("Id"));
  };
  EXPECT_EQ(id, convert("HexEntryId", "EwsId", convert("EwsId", "HexEntryId", id)));
}

TEST_F(ExchangeTest, AnUnreadableItemFailsAloneAndItsIdStays) {
  const std::string id = *service_.deliver("anna@example.com", kMail);
  ASSERT_TRUE(service_.set_unreadable("anna@example.com", id, "ErrorMimeContentConversionFailed", true));
  EXPECT_EQ(
      "NoError",
      code_of(first("<m:GetItem><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape><m:ItemIds>"
                    "<t:ItemId Id=\"" +
                    id + "\"/></m:ItemIds></m:GetItem>")));
  EXPECT_EQ(
      "ErrorMimeContentConversionFailed",
      code_of(first("<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:IncludeMimeContent>true"
                    "</t:IncludeMimeContent></m:ItemShape><m:ItemIds><t:ItemId Id=\"" +
                    id + "\"/></m:ItemIds></m:GetItem>")));
}

}  // namespace
}  // namespace exchange_sim::test
