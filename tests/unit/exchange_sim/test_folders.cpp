// SPDX-License-Identifier: GPL-3.0-or-later
// UpdateFolder, EmptyFolder, MarkAllItemsAsRead.
#include "tests/unit/exchange_sim/exchange_fixture.hpp"

namespace exchange_sim::test {
namespace {

constexpr const char* kAnna = "anna@example.com";
constexpr std::string_view kMail = "From: x@y.example\r\nSubject: s\r\n\r\nbody\r\n";
constexpr std::string_view kNote =
    "<t:ExtendedFieldURI DistinguishedPropertySetId=\"PublicStrings\" PropertyName=\"note\" "
    "PropertyType=\"String\"/>";

class FolderTest : public ExchangeTest {
 protected:
  std::string add(std::string_view parent, std::string_view name) {
    return service_.add_folder(kAnna, parent, name).value();
  }
  Element read(const std::string& id) {
    const Element message =
        first("<m:GetFolder><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape><t:AdditionalProperties>" +
              std::string(kNote) + "</t:AdditionalProperties></m:FolderShape><m:FolderIds><t:FolderId Id=\"" +
              id + "\"/></m:FolderIds></m:GetFolder>");
    const Element* folders = message.child("Folders");
    return folders == nullptr || folders->children.empty() ? Element{} : folders->children.front();
  }
  std::string update(const std::string& id_element, const std::string& updates) {
    return code_of(first("<m:UpdateFolder><m:FolderChanges><t:FolderChange>" + id_element + "<t:Updates>" +
                         updates + "</t:Updates></t:FolderChange></m:FolderChanges></m:UpdateFolder>"));
  }
  static std::string by_id(const std::string& id) { return "<t:FolderId Id=\"" + id + "\"/>"; }
  static std::string named(const std::string& name) {
    return "<t:SetFolderField><t:FieldURI FieldURI=\"folder:DisplayName\"/><t:Folder><t:DisplayName>" + name +
           "</t:DisplayName></t:Folder></t:SetFolderField>";
  }
  static std::string noted(const std::string& value) {
    return "<t:SetFolderField>" + std::string(kNote) + "<t:Folder><t:ExtendedProperty>" + std::string(kNote) +
           "<t:Value>" + value + "</t:Value></t:ExtendedProperty></t:Folder></t:SetFolderField>";
  }
  std::string empty(const std::string& id_element, const std::string& attributes) {
    return code_of(first("<m:EmptyFolder " + attributes + "><m:FolderIds>" + id_element +
                         "</m:FolderIds></m:EmptyFolder>"));
  }
  std::size_t count(std::string_view folder) { return service_.list(kAnna, folder).value().size(); }
  std::uint64_t unread(std::string_view name) {
    const auto all = service_.folders(kAnna).value();
    for (const FolderView& folder : all)
      if (folder.name == name) return folder.unread;
    return 999;
  }
};

TEST_F(FolderTest, AFolderIsRenamedAndKeepsItsOwnProperties) {
  const std::string id = add("inbox", "Projects");
  const std::string key(read(id).child("FolderId")->attribute_or("ChangeKey", ""));
  EXPECT_EQ("NoError", update(by_id(id), named("Plans") + noted("ours")));
  const Element folder = read(id);
  EXPECT_EQ("Plans", folder.child_text("DisplayName"));
  EXPECT_EQ("ours", text_at(folder, "ExtendedProperty/Value"));
  EXPECT_NE(key, folder.child("FolderId")->attribute_or("ChangeKey", ""));
  EXPECT_EQ("NoError",
            update(by_id(id), "<t:DeleteFolderField>" + std::string(kNote) + "</t:DeleteFolderField>"));
  EXPECT_EQ(nullptr, read(id).child("ExtendedProperty"));
  EXPECT_EQ("Plans", read(id).child_text("DisplayName"));
}

TEST_F(FolderTest, ARefusedUpdateChangesNothingOfTheFolder) {
  const std::string id = add("inbox", "Projects");
  add("inbox", "Plans");
  const std::string key(read(id).child("FolderId")->attribute_or("ChangeKey", ""));
  EXPECT_EQ("ErrorFolderExists", update(by_id(id), noted("lost") + named("plans")));
  EXPECT_EQ("ErrorFolderSavePropertyError", update(by_id(id), noted("lost") + named("")));
  EXPECT_EQ(
      "ErrorInvalidPropertyDelete",
      update(by_id(id), named("Lost") + "<t:DeleteFolderField><t:FieldURI FieldURI=\"folder:DisplayName\"/>"
                                        "</t:DeleteFolderField>"));
  EXPECT_EQ(nullptr, read(id).child("ExtendedProperty"));
  EXPECT_EQ("Projects", read(id).child_text("DisplayName"));
  EXPECT_EQ(key, read(id).child("FolderId")->attribute_or("ChangeKey", ""));
  EXPECT_EQ("ErrorAccessDenied", update("<t:DistinguishedFolderId Id=\"inbox\"/>", named("Mail")));
  ASSERT_TRUE(service_.delete_folder(kAnna, id));
  EXPECT_EQ("ErrorFolderNotFound", update(by_id(id), named("Late")));
}

TEST_F(FolderTest, ARenamedFolderIsAnUpdateOfTheHierarchy) {
  const std::string id = add("inbox", "Projects");
  const std::string ask =
      "<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>";
  const std::string state(first(ask + "</m:SyncFolderHierarchy>").child_text("SyncState"));
  EXPECT_EQ("NoError", update(by_id(id), named("Plans")));
  const Element next = first(ask + "<m:SyncState>" + state + "</m:SyncState></m:SyncFolderHierarchy>");
  ASSERT_EQ(1U, next.child("Changes")->children.size());
  EXPECT_EQ("Plans", text_at(next, "Changes/Update/Folder/DisplayName"));
}

TEST_F(FolderTest, EmptyingLeavesTheFolderAndItsSubfolders) {
  const std::string id = add("inbox", "Projects");
  add("inbox/Projects", "2026");
  for (const char* folder : {"inbox/Projects", "inbox/Projects", "inbox/Projects/2026"})
    ASSERT_TRUE(service_.add_mime(kAnna, folder, kMail, false));
  EXPECT_EQ("NoError", empty(by_id(id), "DeleteType=\"MoveToDeletedItems\" DeleteSubFolders=\"false\""));
  EXPECT_EQ(0U, count("inbox/Projects"));
  EXPECT_EQ(0U, unread("Projects"));
  EXPECT_EQ(1U, count("inbox/Projects/2026"));
  EXPECT_EQ(2U, count("deleteditems"));
  EXPECT_EQ("NoError", empty("<t:DistinguishedFolderId Id=\"deleteditems\"/>",
                             "DeleteType=\"HardDelete\" DeleteSubFolders=\"false\""));
  EXPECT_EQ(0U, count("deleteditems"));
}

TEST_F(FolderTest, EmptiedSubfoldersGoWhereTheirItemsGo) {
  const std::string id = add("inbox", "Projects");
  add("inbox/Projects", "2026");
  ASSERT_TRUE(service_.add_mime(kAnna, "inbox/Projects/2026", kMail));
  EXPECT_EQ("NoError", empty(by_id(id), "DeleteType=\"MoveToDeletedItems\" DeleteSubFolders=\"true\""));
  EXPECT_FALSE(service_.list(kAnna, "inbox/Projects/2026"));
  EXPECT_EQ(1U, count("deleteditems/2026")) << "nothing is lost that was only moved";
  add("inbox/Projects", "2027");
  EXPECT_EQ("NoError", empty(by_id(id), "DeleteType=\"HardDelete\" DeleteSubFolders=\"true\""));
  EXPECT_FALSE(service_.list(kAnna, "inbox/Projects/2027"));
  EXPECT_FALSE(service_.list(kAnna, "deleteditems/2027"));
}

TEST_F(FolderTest, ACalendarIsNotEmptied) {
  create("<t:CalendarItem><t:Subject>x</t:Subject></t:CalendarItem>",
         "SendMeetingInvitations=\"SendToNone\"");
  EXPECT_EQ("ErrorCannotEmptyFolder", empty("<t:DistinguishedFolderId Id=\"calendar\"/>",
                                            "DeleteType=\"HardDelete\" DeleteSubFolders=\"false\""));
  EXPECT_EQ(1U, count("calendar"));
}

TEST_F(FolderTest, AllItemsAreMarkedAsReadAndTheFeedSaysSo) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(*service_.deliver(kAnna, kMail));
  ASSERT_TRUE(service_.set_read(kAnna, ids[0], true));
  const std::string state = sync("inbox", "").state;
  const auto mark = [&](const char* flag) {
    return code_of(first("<m:MarkAllItemsAsRead><m:ReadFlag>" + std::string(flag) +
                         "</m:ReadFlag><m:SuppressReadReceipts>true</m:SuppressReadReceipts><m:FolderIds>"
                         "<t:DistinguishedFolderId Id=\"inbox\"/></m:FolderIds></m:MarkAllItemsAsRead>"));
  };
  EXPECT_EQ(2U, unread("Inbox"));
  EXPECT_EQ("NoError", mark("true"));
  EXPECT_EQ(0U, unread("Inbox"));
  const SyncPage page = sync("inbox", state);
  ASSERT_EQ(2U, page.changes.size()) << "the one that was read has not changed";
  for (const Change& change : page.changes) EXPECT_EQ("ReadFlagChangetrue", change.what + change.is_read);
  EXPECT_EQ("NoError", mark("false"));
  EXPECT_EQ(3U, unread("Inbox"));
  EXPECT_EQ("Fault", ask("<m:MarkAllItemsAsRead><m:FolderIds><t:DistinguishedFolderId Id=\"inbox\"/>"
                         "</m:FolderIds></m:MarkAllItemsAsRead>")
                         .name);
  EXPECT_EQ(3U, unread("Inbox"));
}

}  // namespace
}  // namespace exchange_sim::test
