# SPDX-License-Identifier: GPL-3.0-or-later
"""exchangelib, a client that knows nothing of us, works with the test Exchange: all four kinds, sync, streaming,
attachments, recurrences, meetings."""
import logging
import threading
import time
import unittest
from decimal import Decimal

from exchangelib import (
    BASIC, DELEGATE, Account, Build, CalendarItem, Configuration, Contact, Credentials, EWSDateTime, EWSTimeZone,
    EWSDate, FileAttachment, ItemAttachment, Mailbox, Message, Task, Version, errors)
from exchangelib.indexed_properties import EmailAddress, PhoneNumber, PhysicalAddress
from exchangelib.items import SEND_TO_ALL_AND_SAVE_COPY, SEND_TO_NONE
from exchangelib.properties import Attendee, HTMLBody
from exchangelib.recurrence import (
    AbsoluteMonthlyPattern, AbsoluteYearlyPattern, DailyPattern, Recurrence, RelativeMonthlyPattern,
    RelativeYearlyPattern, WeeklyPattern)
from exchangelib.version import EXCHANGE_2019

from exchange import Exchange

UTC = EWSTimeZone("UTC")
BERLIN = EWSTimeZone("Europe/Berlin")
PASSWORDS = {"anna@example.com": "anna's password", "bert@example.com": "bert's password"}


def at(year, month, day, hour=0, minute=0, zone=UTC):
    return EWSDateTime(year, month, day, hour, minute, tzinfo=zone)


class ForeignClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        cls.anna = cls.account("anna@example.com")
        cls.bert = cls.account("bert@example.com")

    @classmethod
    def account(cls, address):
        config = Configuration(
            service_endpoint=cls.exchange.ready["ews"], credentials=Credentials(address, PASSWORDS[address]),
            auth_type=BASIC, version=Version(Build(15, 2)), max_connections=4)
        return Account(address, config=config, autodiscover=False, access_type=DELEGATE, default_timezone=UTC)

    def wait_for(self, what, seconds=20):
        """Polls until `what` gives something true: mail between mailboxes is not instant by contract."""
        end = time.monotonic() + seconds
        while True:
            found = what()
            if found or time.monotonic() > end:
                return found
            time.sleep(0.05)

    # Mail

    def test_mail_is_created_read_changed_moved_and_deleted(self):
        message = Message(account=self.anna, folder=self.anna.drafts, subject="Überraschung & <mehr>",
                          body=HTMLBody("<p>Guten Tag</p>"), to_recipients=[Mailbox(email_address="x@example.org")],
                          categories=["one", "two"])
        message.save()
        found = self.anna.drafts.get(subject="Überraschung & <mehr>")
        self.assertEqual(found.body, "<p>Guten Tag</p>")
        self.assertEqual(found.categories, ["one", "two"])
        self.assertEqual(found.to_recipients[0].email_address, "x@example.org")
        found.subject = "changed"
        found.importance = "High"
        found.save(update_fields=["subject", "importance"])
        found.refresh()
        self.assertEqual((found.subject, found.importance), ("changed", "High"))
        old_id = found.id
        found.move(self.anna.junk)
        self.assertNotEqual(found.id, old_id)
        self.assertEqual(self.anna.drafts.filter(subject="changed").count(), 0)
        self.assertEqual(self.anna.junk.filter(subject="changed").count(), 1)
        found.delete()
        self.assertEqual(self.anna.junk.filter(subject="changed").count(), 0)

    def test_stale_change_key_is_a_conflict_when_asked_for(self):
        message = Message(account=self.anna, folder=self.anna.drafts, subject="conflict")
        message.save()
        first = self.anna.drafts.get(subject="conflict")
        second = self.anna.drafts.get(subject="conflict")
        first.subject = "conflict, first"
        first.save(update_fields=["subject"], conflict_resolution="NeverOverwrite")
        second.subject = "conflict, second"
        with self.assertRaises(errors.ErrorIrresolvableConflict):
            second.save(update_fields=["subject"], conflict_resolution="NeverOverwrite")
        first.refresh()
        self.assertEqual(first.subject, "conflict, first")

    def test_mail_is_sent_and_arrives_once(self):
        Message(account=self.anna, folder=self.anna.sent, subject="letter", body="Dear Bert",
                to_recipients=["bert@example.com"]).send_and_save()
        arrived = self.wait_for(lambda: list(self.bert.inbox.filter(subject="letter")))
        self.assertEqual(len(arrived), 1)
        self.assertEqual(arrived[0].sender.email_address, "anna@example.com")
        self.assertFalse(arrived[0].is_read)
        self.assertTrue(arrived[0].message_id)
        self.assertEqual(self.anna.sent.filter(subject="letter").count(), 1)
        arrived[0].is_read = True
        arrived[0].save(update_fields=["is_read"])
        reply = arrived[0].create_reply(subject="Re: letter", body="Dear Anna", to_recipients=["anna@example.com"])
        reply.send()
        back = self.wait_for(lambda: list(self.anna.inbox.filter(subject="Re: letter")))
        self.assertEqual(back[0].in_reply_to, arrived[0].message_id)
        self.assertEqual(back[0].conversation_id.id, self.anna.sent.get(subject="letter").conversation_id.id)

    def test_mime_content_comes_back_byte_for_byte(self):
        mime = (b"From: someone@example.org\r\nTo: anna@example.com\r\nSubject: raw\r\nMessage-ID: <raw-1@example.org>\r\n"
                b"Date: Mon, 02 Mar 2026 09:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                b"line \xc3\xa9\r\n.\r\n")
        Message(account=self.anna, folder=self.anna.inbox, mime_content=mime).save()
        found = self.anna.inbox.get(subject="raw")
        self.assertEqual(found.mime_content, mime)
        self.assertEqual(found.message_id, "<raw-1@example.org>")

    def test_find_pages_filters_and_sorts(self):
        folder = self.anna.junk
        folder.filter(subject__startswith="page").delete()
        self.anna.bulk_create(folder, [Message(subject=f"page {i:03}", importance="Low" if i % 3 else "High")
                                       for i in range(120)])
        query = folder.filter(subject__startswith="page").order_by("-subject").only("subject")
        query.page_size = 50
        self.assertEqual([m.subject for m in query], [f"page {i:03}" for i in reversed(range(120))])
        self.assertEqual(folder.filter(subject__startswith="page", importance="High").count(), 40)
        self.assertEqual(folder.filter(subject__icontains="PAGE 01").exclude(importance="High").count(), 7)

    # Attachments

    def test_attachments_of_files_and_items(self):
        content = bytes(range(256)) * 4000
        message = Message(account=self.anna, folder=self.anna.drafts, subject="with attachments")
        message.attach(FileAttachment(name="../ä.bin", content=content))
        message.attach(ItemAttachment(name="inner", item=Message(subject="inside", body="inner body")))
        message.save()
        found = self.anna.drafts.get(subject="with attachments")
        self.assertTrue(found.has_attachments)
        file, item = sorted(found.attachments, key=lambda a: isinstance(a, ItemAttachment))
        self.assertEqual((file.name, file.size >= len(content), file.content), ("../ä.bin", True, content))
        self.assertEqual((item.item.subject, item.item.body), ("inside", "inner body"))
        found.detach([file])
        again = self.anna.drafts.get(subject="with attachments")
        self.assertEqual(len(again.attachments), 1)

    # Contacts

    def test_contacts_keep_their_indexed_properties(self):
        contact = Contact(
            account=self.anna, folder=self.anna.contacts, given_name="Grace", surname="Hopper", company_name="Navy",
            display_name="Grace Hopper", birthday=EWSDate(1906, 12, 9),
            email_addresses=[EmailAddress(email="grace@example.org", label="EmailAddress1"),
                             EmailAddress(email="hopper@example.org", label="EmailAddress2")],
            phone_numbers=[PhoneNumber(label="BusinessPhone", phone_number="+1 202")],
            physical_addresses=[PhysicalAddress(label="Business", street="1 Pier", city="Arlington", country="US")])
        contact.save()
        found = self.anna.contacts.get(surname="Hopper")
        self.assertEqual({e.label: e.email for e in found.email_addresses},
                         {"EmailAddress1": "grace@example.org", "EmailAddress2": "hopper@example.org"})
        self.assertEqual(found.physical_addresses[0].city, "Arlington")
        found.phone_numbers = [PhoneNumber(label="BusinessPhone", phone_number="+1 703"),
                               PhoneNumber(label="HomePhone", phone_number="+1 555")]
        found.save(update_fields=["phone_numbers"])
        found.refresh()
        self.assertEqual({p.label: p.phone_number for p in found.phone_numbers},
                         {"BusinessPhone": "+1 703", "HomePhone": "+1 555"})
        found.delete()

    # Tasks

    def test_tasks_couple_status_percent_and_completion(self):
        task = Task(account=self.anna, folder=self.anna.tasks, subject="file the report", start_date=EWSDate(2026, 3, 2),
                    due_date=EWSDate(2026, 3, 9), status="InProgress", percent_complete=Decimal(40))
        task.save()
        found = self.anna.tasks.get(subject="file the report")
        self.assertEqual((found.due_date, found.percent_complete), (EWSDate(2026, 3, 9), 40))
        self.assertFalse(found.is_complete)
        found.status = "Completed"
        found.save(update_fields=["status"])
        found.refresh()
        self.assertEqual((found.percent_complete, found.is_complete), (100, True))
        self.assertIsNotNone(found.complete_date)
        found.delete()

    # Calendar

    def appointment(self, subject, start, end, **more):
        item = CalendarItem(account=self.anna, folder=self.anna.calendar, subject=subject, start=start, end=end, **more)
        item.save(send_meeting_invitations=SEND_TO_NONE)
        return self.anna.calendar.get(subject=subject)

    def view(self, start, end, subject, account=None):
        folder = (account or self.anna).calendar
        return sorted((i for i in folder.view(start=start, end=end) if i.subject == subject), key=lambda i: i.start)

    def test_appointment_and_all_day_event(self):
        item = self.appointment("dentist", at(2026, 5, 4, 9, 30, BERLIN), at(2026, 5, 4, 10, 0, BERLIN),
                                location="Main St")
        self.assertEqual(item.start, at(2026, 5, 4, 7, 30))
        self.assertEqual(item.location, "Main St")
        item.end = at(2026, 5, 4, 11, 0, BERLIN)
        item.save(update_fields=["end"], send_meeting_invitations=SEND_TO_NONE)
        item.refresh()
        self.assertEqual(item.end, at(2026, 5, 4, 9, 0))
        self.assertEqual(len(self.view(at(2026, 5, 4), at(2026, 5, 5), "dentist")), 1)
        day = CalendarItem(account=self.anna, folder=self.anna.calendar, subject="holiday", is_all_day=True,
                           start=EWSDate(2026, 5, 25), end=EWSDate(2026, 5, 25))
        day.save(send_meeting_invitations=SEND_TO_NONE)
        found = self.anna.calendar.get(subject="holiday")
        self.assertTrue(found.is_all_day)
        self.assertEqual(found.start, EWSDate(2026, 5, 25))

    def test_series_of_every_pattern_expand(self):
        start, end = at(2026, 1, 5, 9, 0), at(2026, 1, 5, 10, 0)
        patterns = {
            "daily": (DailyPattern(interval=2), [5, 7, 9, 11]),
            "weekly": (WeeklyPattern(interval=1, weekdays=["Monday", "Wednesday"], first_day_of_week="Monday"),
                       [5, 7, 12, 14]),
        }
        for name, (pattern, days) in patterns.items():
            with self.subTest(name):
                self.appointment(name, start, end, recurrence=Recurrence(pattern=pattern, start=EWSDate(2026, 1, 5), number=4))
                seen = self.view(at(2026, 1, 1), at(2026, 2, 1), name)
                self.assertEqual([o.start.day for o in seen], days)
        monthly = {
            "absolute monthly": (AbsoluteMonthlyPattern(interval=1, day_of_month=31),
                                 [(1, 31), (2, 28), (3, 31), (4, 30)]),
            "relative monthly": (RelativeMonthlyPattern(interval=1, weekday="Friday", week_number="Last"),
                                 [(1, 30), (2, 27), (3, 27), (4, 24)]),
        }
        for name, (pattern, dates) in monthly.items():
            with self.subTest(name):
                self.appointment(name, start, end, recurrence=Recurrence(pattern=pattern, start=EWSDate(2026, 1, 5), number=4))
                seen = self.view(at(2026, 1, 1), at(2026, 12, 31), name)
                self.assertEqual([(o.start.month, o.start.day) for o in seen], dates)
        yearly = {
            "absolute yearly": (AbsoluteYearlyPattern(day_of_month=4, month="July"), [(2026, 7, 4), (2027, 7, 4)]),
            "relative yearly": (RelativeYearlyPattern(weekday="Thursday", week_number="Fourth", month="November"),
                                [(2026, 11, 26), (2027, 11, 25)]),
        }
        for name, (pattern, dates) in yearly.items():
            with self.subTest(name):
                self.appointment(name, start, end, recurrence=Recurrence(pattern=pattern, start=EWSDate(2026, 1, 5), number=2))
                seen = self.view(at(2026, 1, 1), at(2027, 12, 31), name)
                self.assertEqual([(o.start.year, o.start.month, o.start.day) for o in seen], dates)

    def test_occurrences_are_moved_and_deleted_alone(self):
        item = self.appointment("standup", at(2026, 3, 23, 9, 0, BERLIN), at(2026, 3, 23, 9, 15, BERLIN), recurrence=Recurrence(
            pattern=DailyPattern(interval=1), start=EWSDate(2026, 3, 23), number=10))
        second = item.occurrence(index=2).refresh() or item.occurrence(index=2)
        second.start = at(2026, 3, 24, 14, 0, BERLIN)
        second.end = at(2026, 3, 24, 14, 15, BERLIN)
        second.subject = "standup"
        second.save(update_fields=["start", "end"], send_meeting_invitations=SEND_TO_NONE)
        item.occurrence(index=3).delete(send_meeting_cancellations=SEND_TO_NONE)
        master = self.anna.calendar.get(subject="standup")
        self.assertEqual(len(master.modified_occurrences), 1)
        self.assertEqual(len(master.deleted_occurrences), 1)
        seen = self.view(at(2026, 3, 20), at(2026, 4, 10), "standup")
        self.assertEqual(len(seen), 9)
        # 09:00 in Berlin before and after the clocks change on 29 March.
        local = [o.start.astimezone(BERLIN) for o in seen]
        self.assertEqual([(t.day, t.hour) for t in local if t.hour != 14],
                         [(d, 9) for d in (23, 26, 27, 28, 29, 30, 31)] + [(1, 9)])

    def test_meeting_is_invited_accepted_updated_and_cancelled(self):
        meeting = CalendarItem(account=self.anna, folder=self.anna.calendar, subject="planning",
                               start=at(2026, 6, 1, 9, 0), end=at(2026, 6, 1, 10, 0),
                               required_attendees=[Attendee(mailbox=Mailbox(email_address="bert@example.com"))])
        meeting.save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
        request = self.wait_for(lambda: [i for i in self.bert.inbox.filter(subject="planning")])
        self.assertEqual(len(request), 1)
        self.assertEqual(type(request[0]).__name__, "MeetingRequest")
        request[0].accept(message_disposition="SendAndSaveCopy")
        responded = self.wait_for(lambda: [a for a in self.anna.calendar.get(subject="planning").required_attendees
                                           if a.response_type == "Accept"])
        self.assertEqual(len(responded), 1)
        self.assertEqual(len(self.view(at(2026, 6, 1), at(2026, 6, 2), "planning", self.bert)), 1)
        meeting = self.anna.calendar.get(subject="planning")
        meeting.cancel()
        cancelled = self.wait_for(lambda: [i for i in self.bert.inbox.all()
                                           if type(i).__name__ == "MeetingCancellation"])
        self.assertEqual(len(cancelled), 1)

    # Sync, pull and streaming

    def test_sync_reports_each_change_once(self):
        folder = self.anna.junk
        list(folder.sync_items())
        state = folder.item_sync_state
        message = Message(account=self.anna, folder=folder, subject="synced")
        message.save()
        changes = list(folder.sync_items(sync_state=state))
        self.assertEqual([(kind, item.subject) for kind, item in changes], [("create", "synced")])
        state = folder.item_sync_state
        message.subject = "synced, changed"
        message.save(update_fields=["subject"])
        self.assertEqual([kind for kind, item in folder.sync_items(sync_state=state)], ["update"])
        state = folder.item_sync_state
        message.refresh()
        message.is_read = not message.is_read
        message.save(update_fields=["is_read"])
        kinds = [kind for kind, item in folder.sync_items(sync_state=state)]
        self.assertEqual(kinds, ["read_flag_change"])
        state = folder.item_sync_state
        message.delete()
        self.assertEqual([kind for kind, item in folder.sync_items(sync_state=state)], ["delete"])
        self.assertEqual(list(folder.sync_items(sync_state=folder.item_sync_state)), [])

    def test_hierarchy_sync_and_bad_state(self):
        list(self.anna.root.sync_hierarchy())
        state = self.anna.root.folder_sync_state
        from exchangelib.folders import Messages
        new = Messages(parent=self.anna.inbox, name="Projects")
        new.save()
        changes = [(kind, f.name) for kind, f in self.anna.root.sync_hierarchy(sync_state=state)]
        self.assertEqual(changes, [("create", "Projects")])
        with self.assertRaises(errors.ErrorFolderExists):
            Messages(parent=self.anna.inbox, name="Projects").save()
        with self.assertRaises(errors.ErrorInvalidSyncStateData):
            list(self.anna.inbox.sync_items(sync_state="bm90IGEgc3RhdGU="))
        new.delete()

    def test_pull_subscription(self):
        with self.anna.inbox.pull_subscription() as (subscription_id, watermark):
            Message(account=self.bert, subject="pull me", to_recipients=["anna@example.com"]).send()
            self.wait_for(lambda: self.anna.inbox.filter(subject="pull me").exists())
            events = [e for n in self.anna.inbox.get_events(subscription_id, watermark) for e in n.events]
            self.assertIn("NewMailEvent", [e.ELEMENT_NAME for e in events])

    def test_streaming_subscription(self):
        with self.anna.inbox.streaming_subscription() as subscription_id:
            sender = threading.Timer(0.5, lambda: Message(
                account=self.bert, subject="stream me", to_recipients=["anna@example.com"]).send())
            sender.start()
            kinds = []
            for notification in self.anna.inbox.get_streaming_events(
                    subscription_id, connection_timeout=1, max_notifications_returned=1):
                kinds += [e.ELEMENT_NAME for e in notification.events]
            sender.join()
            self.assertIn("NewMailEvent", kinds)

    # The account

    def test_names_resolve_and_wrong_password_is_refused(self):
        resolved = self.anna.protocol.resolve_names(["bert"])
        self.assertEqual([m.email_address for m in resolved], ["bert@example.com"])
        config = Configuration(service_endpoint=self.exchange.ready["ews"], auth_type=BASIC, version=Version(EXCHANGE_2019),
                               credentials=Credentials("anna@example.com", "wrong"))
        wrong = Account("anna@example.com", config=config, autodiscover=False, access_type=DELEGATE)
        with self.assertRaises(errors.UnauthorizedError):
            wrong.root.refresh()


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    unittest.main()
