// SPDX-License-Identifier: GPL-3.0-or-later
// Group A of the catalogue: request and mailbox identity.
#include <algorithm>

#include "base/text.hpp"
#include "routing/rules/groups.hpp"
#include "routing/rules/shorthand.hpp"

namespace syncline::rules {
namespace {

using namespace shorthand;

// Unicode's White_Space property.
bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// One @, no white space, a local part, a domain of two or more labels none of which is empty.
bool is_not_an_address(std::string_view address) {
  const auto at = address.find('@');
  if (at == std::string_view::npos || at == 0 || address.find('@', at + 1) != std::string_view::npos)
    return true;
  for (std::size_t i = 0; i < address.size();) {
    const auto next = text::next_code_point(address.substr(i));
    if (!next || is_white_space(next->value)) return true;
    i += next->length;
  }
  const auto labels = text::split(address.substr(at + 1), '.');
  return labels.size() < 2 ||
         std::any_of(labels.begin(), labels.end(), [](auto label) { return label.empty(); });
}

}  // namespace

Group request_and_mailbox() {
  return {
      'A',
      "Request and mailbox identity",
      {
          Rule{
              .id = "REQ-NO-PRIVILEGE",
              .severity = Severity::reject,
              .condition = req_privileges != rw,
              .message = "The caller may not change this mailbox: read and write rights on the mailbox "
                         "record are both required.",
              .remedy = "Grant Read and Write on the mailbox table in addition to the admin role.",
              .change = {look_at(req_privileges)},
              .source = "S0/S1 section “configure the mailboxes”, sentence before the two methods",
          },
          Rule{
              .id = "REQ-NOTHING-TO-SYNC",
              .severity = Severity::info,
              .condition = req_mail_in == none && req_mail_out == none && req_act == none,
              .message = "Nothing is requested, so the profile is stored but never used.",
              .remedy = "Choose at least one synchronisation method.",
              .change = {look_at(req_mail_in)},
              .source = "operator rule; P20 (delivery method None)",
          },
          Rule{
              .id = "REQ-OUTLOOK-LEGACY",
              .severity = Severity::warn,
              .condition = req_mail_in == outlook || req_mail_out == outlook || req_act == outlook,
              .message = "The legacy Outlook add-in method only works while that client is open and is not "
                         "run by the server.",
              .remedy = "Use server-side synchronisation (sss), or none.",
              .change =
                  {set(req_mail_in, sss).only_if(req_mail_in == outlook),
                   set(req_mail_out, sss).only_if(req_mail_out == outlook && mbx_kind != forward),
                   set(req_mail_out, none).only_if(req_mail_out == outlook && mbx_kind == forward),
                   set(req_act, sss).only_if(req_act == outlook && exchange_type() && mbx_kind == user),
                   set(req_act, none).only_if(req_act == outlook && !(exchange_type() && mbx_kind == user))},
              .source = "P20 delivery methods; P2 features",
          },
          Rule{
              .id = "REQ-BULK-MARKETING",
              .severity = Severity::reject,
              .condition = req_purpose == bulk_marketing,
              .message = "Mass mail campaigns are outside what mailbox synchronisation supports.",
              .remedy = "Send campaigns through a bulk-mail service.",
              .change = {set(req_purpose, normal)},
              .source = "S2 unsupported list, bullet 6; P30 errorsubmissionquotaexceeded",
          },
          Rule{
              .id = "MBX-ADDRESS-INVALID",
              .severity = Severity::reject,
              .condition = is_empty(mbx_address) ||
                           text_is(mbx_address, is_not_an_address, "not of the form local@domain"),
              .message = "The mailbox has no usable address.",
              .remedy = "Enter the primary SMTP address.",
              .change = {look_at(mbx_address)},
              .source = "operator rule; P30 test-enable-fails-for-unrecognized-email-address",
          },
          Rule{
              .id = "MBX-NOT-A-MAILBOX",
              .severity = Severity::reject,
              .condition = in(mbx_recipient_type, {alias, distribution_list, contact}),
              .message = "Aliases, lists and contacts hold no items and cannot be polled.",
              .remedy = "Point the record at a real or shared mailbox.",
              .change = {look_at(mbx_recipient_type)},
              .source = "P2 note 2",
          },
          Rule{
              .id = "MBX-DUPLICATE-ADDRESS",
              .severity = Severity::reject,
              .condition = mbx_dup == two_users,
              .message =
                  "Another user's mailbox record already has this address; one mailbox maps to one user.",
              .remedy = "Remove the address from one of the two records.",
              .change = {look_at(mbx_dup)},
              .source = "P2 note 1",
          },
          Rule{
              .id = "MBX-TWO-PROFILES",
              .severity = Severity::reject,
              .condition = mbx_dup == two_profiles,
              .message = "The same mailbox is already attached to another profile.",
              .remedy = "Detach it from the other profile first.",
              .change = {look_at(mbx_dup)},
              .source = "operator rule built on P2 note 1 and P26/P27 (one profile lookup per mailbox)",
          },
          Rule{
              .id = "MBX-SHARED-ADDRESS-QUEUE",
              .severity = Severity::warn,
              .condition = mbx_dup == user_and_queue,
              .message = "A user and a queue share this address; mail is accepted if either filter accepts "
                         "it and both become recipients.",
              .remedy = "Give the queue its own address.",
              .change = {look_at(mbx_dup)},
              .source = "P30 incoming-emails-unexpectedly-synchronized",
          },
          Rule{
              .id = "MBX-ADDRESS-ON-RECORD",
              .severity = Severity::warn,
              .condition = mbx_dup == on_contact,
              .message = "The address also sits on a contact, lead or account; matching may pick the wrong "
                         "record and drop calendar items.",
              .remedy = "Remove the address from the other record.",
              .change = {look_at(mbx_dup)},
              .source = "P30 norecipientmatch; ms-crm-guru.blogspot.com 2013/11",
          },
          Rule{
              .id = "MBX-INACTIVE",
              .severity = Severity::stage,
              .condition = mbx_state == inactive,
              .message = "The mailbox record is deactivated.",
              .remedy = "Activate it (and its user) and test again.",
              .change = {set(mbx_state, active)},
              .source = "P30 email-message-cannot-be-sent",
          },
          Rule{
              .id = "MBX-LICENSE-MISSING",
              .severity = Severity::stage,
              .condition = mbx_host == exchange_online && mbx_external_target == no && mbx_license == no &&
                           mbx_recipient_type != shared,
              .message = "The Exchange Online mailbox has no licence.",
              .remedy = "Assign a licence or convert a queue mailbox to a shared mailbox.",
              .change = {look_at(mbx_license)},
              .source = "P30 email-cannot-be-received-because-license-is-invalid, 8005E274/8005E276",
          },
          Rule{
              .id = "MBX-OWNER-NO-ROLE",
              .severity = Severity::stage,
              .condition = mbx_owner_role == no,
              .message = "The owner of the record has no security role, so items cannot be written.",
              .remedy = "Give the owning user or team a role.",
              .change = {look_at(mbx_owner_role)},
              .source = "P30 error-2147209462, 8005E259",
          },
          Rule{
              .id = "MBX-NOT-APPROVED",
              .severity = Severity::stage,
              .condition = wants_sync() && mbx_approved == no && approval_required(),
              .message = "The address has not been approved, so nothing may be processed.",
              .remedy = "Approve the address, then test and enable.",
              .change = {look_at(mbx_approved)},
              .source = "S0/S1 “approve the address”, first sentence, and the note on unapproved users and "
                        "queues; P10 alerts",
          },
          Rule{
              .id = "MBX-APPROVAL-OFF",
              .severity = Severity::warn,
              .condition = wants_sync() && mbx_approved == no && !approval_required(),
              .message =
                  "Approval is switched off, so anyone who can edit the address decides whose mail is read.",
              .remedy = "Turn the approval requirement back on.",
              .change = {set(env_require_user_approval, yes).only_if(mbx_kind == user),
                         set(env_require_queue_approval, yes).only_if(mbx_kind != user)},
              .source = "S0/S1 note on the default setting; P3",
          },
          Rule{
              .id = "MBX-ACT-USER-ONLY",
              .severity = Severity::reject,
              .condition = req_act == sss && in(mbx_kind, {queue, forward}),
              .message = "Appointments, contacts and tasks exist only for user mailboxes.",
              .remedy = "Set appointments, contacts and tasks (req_act) to none.",
              .change = {set(req_act, none)},
              .source = "P14 configuration requirements, first bullet",
          },
          Rule{
              .id = "MBX-DELETE-AFTER-USER",
              .severity = Severity::reject,
              .condition = mbx_delete_after == yes && mbx_kind == user,
              .message = "Deleting mail after processing is allowed only for queue and forward mailboxes.",
              .remedy = "Clear the option.",
              .change = {set(mbx_delete_after, no)},
              .source = "P20 field table",
          },
          Rule{
              .id = "MBX-FORWARD-OUTGOING",
              .severity = Severity::reject,
              .condition = mbx_kind == forward && req_mail_out != none,
              .message = "A forward mailbox cannot send.",
              .remedy = "Set outgoing to none.",
              .change = {set(req_mail_out, none)},
              .source = "P20 field table",
          },
          Rule{
              .id = "MBX-FORWARD-DISCOURAGED",
              .severity = Severity::warn,
              .condition = mbx_kind == forward || req_mail_in == forward,
              .message =
                  "Forward mailboxes are slow, are throttled sooner and are a single point of failure.",
              .remedy = "Use one mailbox per user or queue.",
              .change = {look_at(mbx_kind).only_if(mbx_kind == forward),
                         set(req_mail_in, sss).only_if(mbx_kind != forward)},
              .source = "P21",
          },
          Rule{
              .id = "MBX-FORWARD-TARGET-MISSING",
              .severity = Severity::reject,
              .condition = req_mail_in == forward && req_forward_exists == no,
              .message = "Incoming mail is routed to a forward mailbox but none exists.",
              .remedy = "Create the forward mailbox or choose sss.",
              .change = {set(req_mail_in, sss)},
              .source = "P20",
          },
          Rule{
              .id = "MBX-FORWARD-POP3",
              .severity = Severity::info,
              .condition = mbx_kind == forward && prof_in_protocol == pop3,
              .message = "The mail system must be able to forward messages as attachments, and rules are "
                         "made by hand.",
              .remedy = "Check the server-side rule.",
              .change = {look_at(prof_in_protocol)},
              .source = "P21 important box",
          },
          Rule{
              .id = "MBX-PRIMARY-ORG-OTHER",
              .severity = Severity::reject,
              .condition = req_act == sss && mbx_primary_org == other && req_override_primary == no,
              .message = "Another organisation owns calendar, contact and task sync of this mailbox.",
              .remedy = "Set ACT to none here, or take ownership with the override.",
              .change = {set(req_act, none)},
              .source = "S0/S1 tip after each test section; P12",
          },
          Rule{
              .id = "MBX-PRIMARY-ORG-OVERRIDE",
              .severity = Severity::warn,
              .condition = req_act == sss && mbx_primary_org == other && req_override_primary == yes,
              .message = "Ownership moves to this organisation; the other one stops syncing this mailbox.",
              .remedy = "Set ACT to none in the other organisation.",
              .change = {look_at(req_override_primary)},
              .source = "S0/S1 tip; P12",
          },
      }};
}

}  // namespace syncline::rules
