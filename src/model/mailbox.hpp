// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The mailbox of a user or a queue, or a forward mailbox: what its administrator stated, and who approved it.
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "model/enum_words.hpp"

namespace syncline::model {

enum class MailboxKind : std::uint8_t { user, queue, forward };

/// Where its folders stand: in a mailbox, in that of a group, or among the public folders that the address may
/// open. The latter two have no feed of changes of their own.
enum class FolderStore : std::uint8_t { mailbox, group, public_folders };

/// Who moves mail or items: nobody, our engine ("sss": server-side), a person's Outlook, a forward mailbox.
enum class DeliveryMethod : std::uint8_t { none, server, outlook, forward };

enum class ApprovalStatus : std::uint8_t { pending, approved, rejected };

struct Approval {
  ApprovalStatus status = ApprovalStatus::pending;
  std::string by = {};
  std::optional<SystemTime> at = std::nullopt;
  std::string reason = {};
  std::string role = {};  ///< a word of the rules' mbx_approver_role; empty: not said
  friend bool operator==(const Approval&, const Approval&) = default;
};

inline constexpr std::size_t tracked_folders_limit = 25;

/// What the administrator's file says.
struct Mailbox {
  std::string address;  ///< in lower case; unique, and the mailbox's identity
  MailboxKind kind = MailboxKind::user;
  FolderStore store = FolderStore::mailbox;
  std::optional<std::string> owner = std::nullopt;    ///< address of the user whose records these are
  std::optional<std::string> profile = std::nullopt;  ///< name; not stated: the default profile
  std::optional<DeliveryMethod> incoming = std::nullopt;
  std::optional<DeliveryMethod> outgoing = std::nullopt;
  std::optional<DeliveryMethod> act = std::nullopt;     ///< appointments, contacts and tasks
  std::optional<SystemTime> start_date = std::nullopt;  ///< mail received before is not read
  std::vector<std::string> folders = {};  ///< tracked beside the Inbox: paths below it, or below the root
  std::optional<std::string> user_name = std::nullopt;  ///< of mailbox_credentials; not stated: the address
  std::optional<bool> delete_after_processing = std::nullopt;  ///< queues
  std::optional<bool> override_primary = std::nullopt;  ///< takes the mailbox over from another organisation
  /// Settings of [policy.*] that are different for this mailbox, as stated: {"sync":{…},"mail":{…}}.
  boost::json::object policy = {};
  /// What is stated about it that only the rules read, by the rules' field ("mbx_exchange_version").
  std::map<std::string, std::string> facts = {};
  friend bool operator==(const Mailbox&, const Mailbox&) = default;

  /// The owner of its records.
  const std::string& record_owner() const noexcept { return owner ? *owner : address; }
  const std::string& login() const noexcept { return user_name ? *user_name : address; }
};

template <>
struct EnumWords<MailboxKind> {
  static constexpr EnumWord<MailboxKind> all[] = {
      {MailboxKind::user, "user"}, {MailboxKind::queue, "queue"}, {MailboxKind::forward, "forward"}};
};
template <>
struct EnumWords<FolderStore> {
  static constexpr EnumWord<FolderStore> all[] = {{FolderStore::mailbox, "mailbox"},
                                                  {FolderStore::group, "group"},
                                                  {FolderStore::public_folders, "public_folders"}};
};
template <>
struct EnumWords<DeliveryMethod> {
  static constexpr EnumWord<DeliveryMethod> all[] = {{DeliveryMethod::none, "none"},
                                                     {DeliveryMethod::server, "sss"},
                                                     {DeliveryMethod::outlook, "outlook"},
                                                     {DeliveryMethod::forward, "forward"}};
};
template <>
struct EnumWords<ApprovalStatus> {
  static constexpr EnumWord<ApprovalStatus> all[] = {{ApprovalStatus::pending, "pending"},
                                                     {ApprovalStatus::approved, "approved"},
                                                     {ApprovalStatus::rejected, "rejected"}};
};

}  // namespace syncline::model
