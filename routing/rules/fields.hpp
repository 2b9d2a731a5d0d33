// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The fields of an assignment: environment, profile, mailbox, request. Their names are the columns of a file
// and the identifiers in conditions.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "routing/rules/words.hpp"

namespace syncline::rules {

// clang-format off
#define SYNCLINE_RULE_FIELDS(X) \
  X(stage) X(env_deployment) X(env_cloud) \
  X(env_as_of) X(env_fips) X(env_form_scheme) \
  X(env_allow_insecure_creds) X(env_require_user_approval) X(env_require_queue_approval) \
  X(env_default_profile) X(env_default_act) X(env_org_act_other) \
  X(env_net_inspection) X(env_encryption_gateway) X(env_custom_provider) \
  X(env_process_from_max_days) X(env_ews_tenant) X(prof_type) \
  X(prof_state) X(prof_name) X(prof_name_len) \
  X(prof_is_default) X(prof_in_protocol) X(prof_out_protocol) \
  X(prof_auth_in) X(prof_auth_out) X(prof_username) \
  X(prof_password) X(prof_username_format) X(prof_impersonation) \
  X(prof_autodiscover) X(prof_in_host) X(prof_out_host) \
  X(prof_in_port) X(prof_out_port) X(prof_in_tls) \
  X(prof_out_tls) X(prof_tls_version) X(prof_oauth_data) \
  X(prof_gmail_app_status) X(prof_iis_auth) X(prof_process_from) \
  X(prof_min_poll) X(prof_max_conn) X(prof_timeout_ms) \
  X(prof_mailbox_count) X(mbx_kind) X(mbx_address) \
  X(mbx_recipient_type) X(mbx_host) X(mbx_exchange_version) \
  X(mbx_tenant) X(mbx_external_target) X(mbx_state) \
  X(mbx_approved) X(mbx_approver_role) X(mbx_creds) \
  X(mbx_oauth_token) X(mbx_mfa) X(mbx_license) \
  X(mbx_owner_role) X(mbx_dup) X(mbx_primary_org) \
  X(mbx_delete_after) X(mbx_server_fips) X(req_mail_in) \
  X(req_mail_out) X(req_act) X(req_override_primary) \
  X(req_purpose) X(req_app_for_outlook) X(req_outlook_web) \
  X(req_outlook_manual_tracking) X(req_folder_rules) X(req_track_sent) \
  X(req_forward_exists) X(req_privileges)
// clang-format on

enum class Field : std::uint8_t {
#define SYNCLINE_FIELD(name) name,
  SYNCLINE_RULE_FIELDS(SYNCLINE_FIELD)
#undef SYNCLINE_FIELD
};

#define SYNCLINE_FIELD(name) +1
inline constexpr std::size_t kFieldCount = 0 SYNCLINE_RULE_FIELDS(SYNCLINE_FIELD);
#undef SYNCLINE_FIELD

enum class FieldKind : std::uint8_t { word, integer, date, text };

struct FieldInfo {
  std::string_view name;
  FieldKind kind;
  std::span<const Word> domain;  ///< of a word field
  bool may_be_empty;             ///< "empty" belongs to its domain
  std::string_view meaning;
  std::string_view default_text;  ///< what it is when not given; empty text: it stays empty
};

const FieldInfo& info(Field field) noexcept;
std::string_view name_of(Field field) noexcept;
std::optional<Field> field_from(std::string_view name) noexcept;

/// Place of `word` in the domain of `field`; nullopt if the field does not take it.
std::optional<unsigned> index_in_domain(Field field, Word word) noexcept;
/// The same from the text of a file.
std::optional<unsigned> index_in_domain(Field field, std::string_view text) noexcept;

/// A set of fields, walked in the order of the enumeration.
class FieldSet {
 public:
  constexpr void insert(Field field) noexcept { half(field) |= bit(field); }
  constexpr void erase(Field field) noexcept { half(field) &= ~bit(field); }
  constexpr bool contains(Field field) const noexcept {
    return (halves_[static_cast<unsigned>(field) >> 6] & bit(field)) != 0;
  }
  constexpr bool empty() const noexcept { return (halves_[0] | halves_[1]) == 0; }
  constexpr FieldSet& operator|=(const FieldSet& set) noexcept {
    halves_[0] |= set.halves_[0];
    halves_[1] |= set.halves_[1];
    return *this;
  }
  friend constexpr FieldSet operator&(FieldSet a, const FieldSet& b) noexcept {
    a.halves_[0] &= b.halves_[0];
    a.halves_[1] &= b.halves_[1];
    return a;
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (unsigned h = 0; h < 2; ++h) {
      for (std::uint64_t rest = halves_[h]; rest != 0; rest &= rest - 1) {
        visit(static_cast<Field>(h * 64 + static_cast<unsigned>(std::countr_zero(rest))));
      }
    }
  }

 private:
  static constexpr std::uint64_t bit(Field field) noexcept {
    return 1ULL << (static_cast<unsigned>(field) & 63U);
  }
  constexpr std::uint64_t& half(Field field) noexcept { return halves_[static_cast<unsigned>(field) >> 6]; }
  std::array<std::uint64_t, 2> halves_{};
};

static_assert(kFieldCount <= 128, "FieldSet has 128 bits");

/// All fields, in order.
std::span<const Field> all_fields() noexcept;

}  // namespace syncline::rules
