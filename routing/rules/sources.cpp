// SPDX-License-Identifier: GPL-3.0-or-later
// What the short names in `source` stand for.
#include <array>

#include "routing/rules/catalogue.hpp"

namespace syncline::rules {

std::span<const SourceKey> source_keys() noexcept {
  static constexpr auto kKeys = std::to_array<SourceKey>({
      {"S0",
       "page of the reference product, Italian: connecting Gmail, POP3 and SMTP servers with credentials of "
       "a user or queue"},
      {"S1", "the same page, Japanese"},
      {"S2",
       "page of the reference product, Portuguese: e-mail service configurations that server-side "
       "synchronisation supports; bullets of its unsupported list are counted from 1"},
      {"P1",
       "MicrosoftDocs/power-platform "
       "power-platform/admin/supported-email-service-configurations-server-side-synchronization.md "
       "(2022-01-13)"},
      {"P2", "MicrosoftDocs/power-platform power-platform/admin/server-side-synchronization.md (2021-05-25)"},
      {"P3",
       "MicrosoftDocs/power-platform power-platform/admin/connect-exchange-online.md; support KB 4506139; "
       "powerapps.microsoft.com blog “delegate the mailbox approval process”"},
      {"P4",
       "MicrosoftDocs/power-platform power-platform/admin/connect-exchange-server-on-premises.md "
       "(2023-10-16)"},
      {"P5", "MicrosoftDocs/power-platform power-platform/admin/connect-exchange-server-onprem-hma.md"},
      {"P6",
       "MicrosoftDocs/power-platform power-platform/admin/connect-exchange-online-server-profile-oauth.md"},
      {"P7", "MicrosoftDocs/power-platform power-platform/admin/connect-gmail-oauth2.md"},
      {"P8",
       "MicrosoftDocs/power-platform power-platform/admin/connect-to-pop3-or-smtp-servers.md; P8b = "
       "set-up-server-side-synchronization-of-email-appointments-contacts-and-tasks.md"},
      {"P9",
       "MicrosoftDocs/power-platform power-platform/admin/best-practices-server-side-synchronization.md; "
       "technet dn887218"},
      {"P10",
       "MicrosoftDocs/power-platform "
       "power-platform/admin/troubleshooting-monitoring-server-side-synchronization.md, and the 2025-02-20 "
       "copy in MicrosoftDocs/SupportArticles-docs"},
      {"P11", "MicrosoftDocs/power-platform power-platform/admin/monitor-email-processing-errors.md"},
      {"P12", "MicrosoftDocs/power-platform power-platform/admin/when-would-want-use-check-box.md"},
      {"P13",
       "MicrosoftDocs/power-platform power-platform/admin/email-message-filtering-correlation.md "
       "(2023-02-15)"},
      {"P14", "MicrosoftDocs/power-platform power-platform/admin/sync-logic.md"},
      {"P17",
       "MicrosoftDocs/power-platform "
       "power-platform/admin/configure-outlook-exchange-folder-level-tracking.md"},
      {"P19", "MicrosoftDocs/power-platform power-platform/admin/track-sent-folder-items.md"},
      {"P20",
       "MicrosoftDocs/power-platform power-platform/admin/create-forward-mailboxes-edit-mailboxes.md "
       "(2025-11-19)"},
      {"P21", "MicrosoftDocs/power-platform power-platform/admin/forward-mailbox-vs-individual-mailboxes.md"},
      {"P24",
       "MicrosoftDocs/power-platform power-platform/admin/server-cipher-tls-requirements.md (2024-12-02)"},
      {"P25",
       "MicrosoftDocs/power-platform power-platform/admin/use-basic-authentication-exchange-online.md"},
      {"P26, P27",
       "MicrosoftDocs/powerapps-docs "
       "powerapps-docs/developer/data-platform/reference/entities/emailserverprofile.md, mailbox.md "
       "(2023-03-07)"},
      {"P28",
       "MicrosoftDocs/dynamics-365-customer-engagement "
       "ce/customerengagement/on-premises/admin/"
       "supported-email-service-configurations-server-side-synchronization.md"},
      {"P29",
       "MicrosoftDocs/dynamics-365-customer-engagement "
       "ce/customerengagement/on-premises/admin/connect-dynamics-365-on-premises-exchange-online.md"},
      {"P30",
       "MicrosoftDocs/SupportArticles-docs support/power-platform/dataverse/email-exchange-synchronization/ "
       "(the rule names the article)"},
      {"P31",
       "MicrosoftDocs/office-developer-exchange-docs docs/exchange-web-services/ "
       "(ews-throttling-in-exchange.md, how-to-control-access-to-ews-in-exchange.md, "
       "mailbox-synchronization-and-ews-in-exchange.md)"},
      {"P32",
       "MicrosoftDocs/OfficeDocs-Exchange Exchange/ExchangeServer/clients/pop3-and-imap4/ "
       "(pop3-and-imap4.md, configure-authenticated-smtp.md)"},
      {"P33",
       "EWS retirement: message centre MC1227454 (copy on blog.tophhie.cloud, 2026-02-06), redmondmag.com "
       "2026-06-22, tiagoscarvalho.com 2026-06, techcommunity “retirement of Exchange Web Services in "
       "Exchange Online” (cited in cypht #1659, exchangelib #1359)"},
      {"P34", "techcommunity “retirement of RBAC application impersonation in Exchange Online”, MC724116"},
      {"P36",
       "support.microsoft.com “POP, IMAP and SMTP settings for Outlook.com”; techissuestoday.com on "
       "2024-09-16"},
      {"P37", "Yahoo settings: xenocept.com docs, unanswered.io guide"},
      {"P39",
       "learn.microsoft.com previous-versions dn455464 (ProcessEmailSinceMaximumDaysAllowed), dn439737 "
       "(ServerSideSyncEmailSettings)"},
      {"operator rule", "a rule of sound operation that no page states in these words"},
  });
  return kKeys;
}

}  // namespace syncline::rules
