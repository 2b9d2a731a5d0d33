// SPDX-License-Identifier: GPL-3.0-or-later
// CopyItem, AutoResolve, distribution lists, reference attachments, owners of subscriptions, generated
// bodies.
#include <set>

#include "tests/unit/exchange_sim/exchange_fixture.hpp"
#include "tools/exchange-sim/exchange/mime.hpp"

namespace exchange_sim::test {
namespace {

constexpr const char* kAnna = "anna@example.com";
constexpr std::string_view kMail =
    "From: x@y.example\r\nSubject: s\r\nContent-Type: multipart/mixed; "
    "boundary=b\r\n\r\n--b\r\n\r\nbody\r\n--b\r\n"
    "Content-Type: text/x; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nthe "
    "file\r\n--b--\r\n";

std::string set_field(std::string_view uri, std::string_view element, std::string_view value) {
  const std::string name(element);
  return "<t:SetItemField><t:FieldURI FieldURI=\"" + std::string(uri) + "\"/><t:Contact><t:" + name + '>' +
         std::string(value) + "</t:" + name + "></t:Contact></t:SetItemField>";
}

class ItemTest : public ExchangeTest {
 protected:
  Element copy(const std::string& id, const std::string& folder, const std::string& more = "") {
    return first("<m:CopyItem><m:ToFolderId><t:DistinguishedFolderId Id=\"" + folder +
                 "\"/></m:ToFolderId><m:ItemIds><t:ItemId Id=\"" + id + "\"/></m:ItemIds>" + more +
                 "</m:CopyItem>");
  }
  /// UpdateItem with AutoResolve: code and conflicts, as "NoError 1".
  std::string auto_resolve(const std::string& id, const std::string& key, const std::string& updates,
                           std::string_view resolution = "AutoResolve") {
    const Element message =
        first("<m:UpdateItem ConflictResolution=\"" + std::string(resolution) +
              "\" MessageDisposition=\"SaveOnly\"><m:ItemChanges><t:ItemChange><t:ItemId Id=\"" + id +
              "\" ChangeKey=\"" + key + "\"/><t:Updates>" + updates +
              "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>");
    return code_of(message) + ' ' + text_at(message, "ConflictResults/Count");
  }
  std::string contact() {
    return create("<t:Contact><t:GivenName>Dan</t:GivenName><t:Surname>Stone</t:Surname></t:Contact>", "");
  }
};

TEST_F(ItemTest, ACopyIsAnItemOfItsOwn) {
  const std::string id = *service_.add_mime(kAnna, "inbox", kMail, false);
  ASSERT_TRUE(service_.edit_extended(kAnna, id, "PublicStrings", "note", "ours"));
  const Element message = copy(id, "drafts");
  ASSERT_EQ("NoError", code_of(message));
  const std::string made = id_in(*at(message, "Items/Message"));
  ASSERT_FALSE(made.empty());
  EXPECT_NE(id, made);
  EXPECT_EQ(service_.mime(kAnna, id).value(), service_.mime(kAnna, made).value());
  EXPECT_EQ("false", text_at(get(made), "IsRead"));
  EXPECT_EQ(1U, service_.list(kAnna, "drafts")->at(0).attachments);
  EXPECT_NE(std::string::npos, service_.item_xml(kAnna, made).value().find("<t:Value>ours</t:Value>"));
  ASSERT_TRUE(service_.edit_item(kAnna, made, "item:Subject", "changed"));
  ASSERT_TRUE(service_.delete_item(kAnna, made, true));
  EXPECT_EQ("s", text_at(get(id), "Subject")) << "what happens to the copy is nothing to the original";
}

TEST_F(ItemTest, ACopyIsNewToTheFeedOfItsFolderAlone) {
  const std::string id = *service_.add_mime(kAnna, "inbox", kMail);
  const std::string inbox = sync("inbox", "").state;
  const std::string drafts = sync("drafts", "").state;
  const std::string made = id_in(*at(copy(id, "drafts"), "Items/Message"));
  EXPECT_TRUE(sync("inbox", inbox).changes.empty());
  const SyncPage page = sync("drafts", drafts);
  ASSERT_EQ(1U, page.changes.size());
  EXPECT_EQ("Create", page.changes[0].what);
  EXPECT_EQ(made, page.changes[0].id);
}

TEST_F(ItemTest, WhatCannotBeCopiedIsRefusedInItsPlace) {
  const std::string id = *service_.add_mime(kAnna, "inbox", kMail);
  EXPECT_TRUE(
      at(copy(id, "drafts", "<m:ReturnNewItemIds>false</m:ReturnNewItemIds>"), "Items")->children.empty());
  EXPECT_EQ(1U, service_.list(kAnna, "drafts")->size());
  const std::string gone = service_.add_folder(kAnna, "inbox", "gone").value();
  ASSERT_TRUE(service_.delete_folder(kAnna, gone));
  EXPECT_EQ("ErrorToFolderNotFound", code_of(first("<m:CopyItem><m:ToFolderId><t:FolderId Id=\"" + gone +
                                                   "\"/></m:ToFolderId><m:ItemIds><t:ItemId Id=\"" + id +
                                                   "\"/></m:ItemIds></m:CopyItem>")));
  ASSERT_TRUE(service_.delete_item(kAnna, id, true));
  EXPECT_EQ("ErrorItemNotFound", code_of(copy(id, "drafts")));
}

TEST_F(ItemTest, AutoResolveMergesWhatDoesNotCollide) {
  const std::string id = contact();
  const std::string key = key_in(get(id));
  ASSERT_TRUE(service_.edit_item(kAnna, id, "contacts:JobTitle", "Smith"));
  EXPECT_EQ("NoError 0", auto_resolve(id, key, set_field("contacts:GivenName", "GivenName", "Don")));
  EXPECT_EQ("Smith", text_at(get(id), "JobTitle"));
  EXPECT_EQ("Don", text_at(get(id), "GivenName"));
}

TEST_F(ItemTest, AutoResolveCountsPropertiesThatBothChangedAndTheLaterWins) {
  const std::string id = contact();
  const std::string key = key_in(get(id));
  ASSERT_TRUE(service_.edit_item(kAnna, id, "contacts:JobTitle", "Smith"));
  ASSERT_TRUE(service_.edit_item(kAnna, id, "contacts:Department", "Forge"));
  const std::string ours = set_field("contacts:JobTitle", "JobTitle", "Baker") +
                           set_field("contacts:Department", "Department", "Forge") +
                           set_field("contacts:GivenName", "GivenName", "Don");
  EXPECT_EQ("NoError 1", auto_resolve(id, key, ours)) << "the same value twice is no conflict";
  EXPECT_EQ("Baker", text_at(get(id), "JobTitle"));
  EXPECT_EQ("NoError 0",
            auto_resolve(id, key_in(get(id)), set_field("contacts:JobTitle", "JobTitle", "Cook")))
      << "with the present key there is none";
  EXPECT_EQ("NoError 1", auto_resolve(id, key, set_field("contacts:JobTitle", "JobTitle", "Cobbler")))
      << "a change by request counts as one by hand";
  EXPECT_EQ("NoError 0",
            auto_resolve(id, key, set_field("contacts:JobTitle", "JobTitle", "Chef"), "AlwaysOverwrite"));
  EXPECT_EQ("ErrorIrresolvableConflict ",
            auto_resolve(id, key, set_field("contacts:Surname", "Surname", "Wood"), "NeverOverwrite"));
}

TEST_F(ItemTest, AutoResolveKeepsTheStricterSensitivity) {
  const std::string id = contact();
  const std::string key = key_in(get(id));
  ASSERT_TRUE(service_.edit_item(kAnna, id, "item:Sensitivity", "Private"));
  EXPECT_EQ("NoError 1", auto_resolve(id, key, set_field("item:Sensitivity", "Sensitivity", "Personal")));
  EXPECT_EQ("Private", text_at(get(id), "Sensitivity"));
  EXPECT_EQ("NoError 1", auto_resolve(id, key, set_field("item:Sensitivity", "Sensitivity", "Confidential")));
  EXPECT_EQ("Confidential", text_at(get(id), "Sensitivity"));
  EXPECT_EQ("NoError 0",
            auto_resolve(id, key_in(get(id)), set_field("item:Sensitivity", "Sensitivity", "Normal")));
  EXPECT_EQ("Normal", text_at(get(id), "Sensitivity"));
}

TEST_F(ItemTest, ADistributionListKeepsItsMembersAndTheirKeys) {
  const auto member = [](const std::string& name, const std::string& address) {
    return "<t:Member><t:Mailbox><t:Name>" + name + "</t:Name><t:EmailAddress>" + address +
           "</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType><t:MailboxType>OneOff</t:MailboxType>"
           "</t:Mailbox></t:Member>";
  };
  const std::string id =
      create("<t:DistributionList><t:DisplayName>Team</t:DisplayName><t:Members>" +
                 member("Ben &amp; Co", "ben@example.com") + member("Out", "out@elsewhere.example") +
                 "</t:Members></t:DistributionList>",
             "");
  Element list = get(id);
  EXPECT_EQ("DistributionList", list.name);
  EXPECT_EQ("IPM.DistList", list.child_text("ItemClass"));
  EXPECT_EQ("Team", list.child_text("DisplayName"));
  ASSERT_EQ(2U, list.child("Members")->children.size());
  EXPECT_EQ("Ben & Co", text_at(list, "Members/Member/Mailbox/Name"));
  EXPECT_EQ("out@elsewhere.example", text_at(list.child("Members")->children[1], "Mailbox/EmailAddress"));
  EXPECT_EQ("Normal", text_at(list, "Members/Member/Status"));
  const std::string first_key(list.child("Members")->children[0].attribute_or("Key", ""));
  EXPECT_FALSE(first_key.empty());
  EXPECT_NE(first_key, list.child("Members")->children[1].attribute_or("Key", ""));
  EXPECT_EQ(id, service_.list(kAnna, "contacts")->at(0).id);

  EXPECT_EQ("NoError", update(id, key_in(list),
                              "<t:SetItemField><t:FieldURI "
                              "FieldURI=\"distributionlist:Members\"/><t:DistributionList><t:Members>" +
                                  member("Cleo", "cleo@cloud.example") +
                                  "</t:Members></t:DistributionList></t:SetItemField>"));
  list = get(id);
  ASSERT_EQ(1U, list.child("Members")->children.size());
  EXPECT_EQ("cleo@cloud.example", text_at(list, "Members/Member/Mailbox/EmailAddress"));
  EXPECT_EQ("NoError", update(id, key_in(list),
                              "<t:DeleteItemField><t:FieldURI FieldURI=\"distributionlist:Members\"/>"
                              "</t:DeleteItemField>"));
  EXPECT_EQ(nullptr, get(id).child("Members"));
  EXPECT_EQ("Team", get(id).child_text("DisplayName"));
}

TEST_F(ItemTest, AReferenceAttachmentIsALinkWithAllItsProperties) {
  const std::string id = create("<t:Message><t:Subject>m</t:Subject></t:Message>");
  const Element made =
      first("<m:CreateAttachment><m:ParentItemId Id=\"" + id +
            "\"/><m:Attachments><t:ReferenceAttachment><t:Name>plan.docx</t:Name>"
            "<t:AttachLongPathName>https://files.example.com/plan.docx?a=1&amp;b=2</t:AttachLongPathName>"
            "<t:ProviderType>OneDrivePro</t:ProviderType>"
            "<t:ProviderEndpointUrl>https://files.example.com/</t:ProviderEndpointUrl>"
            "<t:PermissionType>1</t:PermissionType><t:OriginalPermissionType>2</t:OriginalPermissionType>"
            "<t:AttachmentIsFolder>false</t:AttachmentIsFolder></t:ReferenceAttachment></m:Attachments>"
            "</m:CreateAttachment>");
  ASSERT_EQ("NoError", code_of(made)) << made.child_text("MessageText");
  const Element* attachment_id = at(made, "Attachments/ReferenceAttachment/AttachmentId");
  ASSERT_NE(nullptr, attachment_id);
  const std::string attachment(attachment_id->attribute_or("Id", ""));
  EXPECT_NE("", attachment_id->attribute_or("RootItemChangeKey", ""));
  const Element item = get(id);
  EXPECT_EQ("true", item.child_text("HasAttachments"));
  EXPECT_EQ("plan.docx", text_at(item, "Attachments/ReferenceAttachment/Name"));
  const Element got = first("<m:GetAttachment><m:AttachmentIds><t:AttachmentId Id=\"" + attachment +
                            "\"/></m:AttachmentIds></m:GetAttachment>");
  const Element* reference = at(got, "Attachments/ReferenceAttachment");
  ASSERT_NE(nullptr, reference);
  for (const auto& [name, value] :
       {std::pair{"AttachLongPathName", "https://files.example.com/plan.docx?a=1&b=2"},
        {"ProviderType", "OneDrivePro"},
        {"ProviderEndpointUrl", "https://files.example.com/"},
        {"PermissionType", "1"},
        {"OriginalPermissionType", "2"},
        {"AttachmentIsFolder", "false"},
        {"Size", "0"}})
    EXPECT_EQ(value, reference->child_text(name)) << name;
  EXPECT_EQ(std::string::npos, service_.mime(kAnna, id).value().find("plan.docx")) << "no octets of it";
  first("<m:DeleteAttachment><m:AttachmentIds><t:AttachmentId Id=\"" + attachment +
        "\"/></m:AttachmentIds></m:DeleteAttachment>");
  EXPECT_EQ("false", get(id).child_text("HasAttachments"));
}

TEST_F(ItemTest, ASubscriptionIsItsMakersAlone) {
  const auto subscribe = [&](const char* kind) {
    const std::string name(kind);
    return std::string(
        first("<m:Subscribe><m:" + name + " SubscribeToAllFolders=\"true\"><t:EventTypes><t:EventType>" +
              "NewMailEvent</t:EventType></t:EventTypes>" +
              (name[0] == 'P' ? "<t:Timeout>10</t:Timeout>" : "") + "</m:" + name + "></m:Subscribe>")
            .child_text("SubscriptionId"));
  };
  const std::string streaming = subscribe("StreamingSubscriptionRequest");
  const std::string pull = subscribe("PullSubscriptionRequest");
  const auto unusable = [&](const char* account, const char* mailbox, const std::string& id) {
    std::string out;
    for (const auto& one : service_.unusable_subscriptions({"", account, mailbox, ""}, {id}))
      out += one.is_denied ? "denied" : "unknown";
    return out;
  };
  EXPECT_EQ("", unusable(kAnna, kAnna, streaming));
  EXPECT_EQ("", unusable(kAnna, "ben@example.com", streaming))
      << "the account counts, so that one connection serves many mailboxes";
  EXPECT_EQ("denied", unusable("ben@example.com", "ben@example.com", streaming));
  EXPECT_EQ("denied", unusable("ben@example.com", kAnna, streaming)) << "impersonation is not ownership";
  EXPECT_EQ("unknown", unusable(kAnna, kAnna, pull));
  EXPECT_EQ("unknown", unusable(kAnna, kAnna, "none"));
  const std::string events = "<m:GetEvents><m:SubscriptionId>" + pull +
                             "</m:SubscriptionId><m:Watermark>AAAA</m:Watermark></m:GetEvents>";
  EXPECT_EQ("ErrorSubscriptionAccessDenied", code_of(first(events, "ben@example.com")));
  EXPECT_EQ("ErrorInvalidWatermark", code_of(first(events)));
  const std::string end = "<m:Unsubscribe><m:SubscriptionId>" + pull + "</m:SubscriptionId></m:Unsubscribe>";
  EXPECT_EQ("ErrorSubscriptionAccessDenied", code_of(first(end, "ben@example.com")));
  EXPECT_EQ("NoError", code_of(first(end)));
  EXPECT_EQ("ErrorSubscriptionNotFound", code_of(first(end)));
}

TEST_F(ItemTest, AGeneratedBodyIsTheTextOfItsOctets) {
  // Without parsing the octets, which would cost more than all the rest of a listing.
  for (const std::size_t size : {std::size_t{3000}, std::size_t{3001}, std::size_t{400'000}})
    ASSERT_TRUE(service_.generate(kAnna, {.seed = size, .messages = 3, .message_bytes = size}));
  std::set<std::string> bodies;
  const auto inbox = service_.list(kAnna, "inbox").value();
  for (const ItemView& item : inbox) {
    const std::string body = text_at(get(item.id), "Body");
    const std::string mime = service_.mime(kAnna, item.id).value();
    EXPECT_EQ(parse_mail(mime).text, body);
    EXPECT_TRUE(mime.ends_with(body));
    bodies.insert(body);
  }
  EXPECT_EQ(9U, bodies.size()) << "no two of them say the same";
}

}  // namespace
}  // namespace exchange_sim::test
