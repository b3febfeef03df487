//! Recordings of an interaction with two VoiceCalls.

use super::*;
use crate::stage::create;

/// An interaction that an agent gave to a second flow run; the ids of both VoiceCalls. The first part began at 09:58:20,
/// the second 50 s later.
async fn given_on(house: &House) -> [String; 2] {
    let first = waiting(&house.stage, "1").await;
    let by = |agent: &str, second| {
        let mut event = event("task:connected", "1", second);
        event["data"]["agentId"] = agent.into();
        event
    };
    house.keep_event([event("task:new", "1", -100), by("agent-1", -80)]).await;
    let again = json!({ "startTime": "2026-11-21T09:59:10Z" });
    let reply = house.stage.post("createVoiceCall", with(create("wxcc_1"), again)).await;
    let second = reply.data()["voiceCallId"].as_str().unwrap().to_owned();
    house.keep_event([event("task:parked", "1", -40), by("agent-2", -30), event("task:ended", "1", 0)]).await;
    [first, second]
}

/// Where both recordings are, and how long each is.
fn located(house: &House, ids: &[String; 2]) -> [(Option<String>, Option<u64>); 2] {
    ids.each_ref().map(|id| {
        let call = house.stage.org.voice_call(id).unwrap();
        (call.recording_location, call.holds.total_recording_duration)
    })
}

#[actix_web::test]
async fn each_voice_call_of_an_interaction_gets_the_recordings_that_began_in_its_part() {
    let begin = now() - 80_000;
    let file = |name: &str| Some(format!("https://player.example.com/1/{name}"));
    let wanted = [(file("one.wav"), Some(30)), (file("two.wav"), Some(20))];
    let nothing = [(None, None), (None, None)];
    for (plan, wait, late) in [
        (Plan::telephony(), "1m", false),
        (Plan::apex(), "1m", false),
        (Plan::telephony(), "0s", true),
        (Plan::telephony().store(Postgres::shared().database()), "0s", true),
    ] {
        let house = house_of(plan, &format!("enrichment.wait_for_recording = \"{wait}\"")).await;
        let ids = given_on(&house).await;
        house.conclude(11).await;
        assert_eq!(located(&house, &ids), nothing);
        assert_eq!(house.sent().len(), if late { 2 } else { 0 });
        for (name, from, to) in [("two.wav", 50_000, 70_000), ("one.wav", 0, 30_000)] {
            let (start_time, stop_time) = (begin + from, begin + to);
            house
                .tenant
                .webex
                .put_recording("1", Recording { file_name: name.into(), start_time, stop_time });
        }
        house.announced("1").await;
        house.conclude(30).await;
        assert_eq!(located(&house, &ids), wanted);
        assert_eq!((house.asked(), house.sent().len()), (1, if late { 4 } else { 2 }));
        let finals = house.sent().into_iter().filter(|sent| sent["isActiveCall"] != true).count();
        assert_eq!(finals, 2, "one of each");
        // A hold of the second part, of which was told late, is no matter of the first.
        house.keep_event([event("task:on-hold", "1", -20), event("task:hold-done", "1", -10)]).await;
        house.conclude(30).await;
        let holds = ids.each_ref().map(|id| house.stage.org.voice_call(id).unwrap().holds.number_of_holds);
        assert_eq!((holds, house.asked()), ([Some(0), Some(1)], 1));
        assert_eq!((located(&house, &ids), house.sent().len()), (wanted.clone(), if late { 5 } else { 3 }));
        let ends = ids.each_ref().map(|id| house.stage.org.voice_call(id).unwrap().call_end_date_time);
        let ends = ends.each_ref().map(|end| end.as_deref());
        assert_eq!(ends, [Some("2026-11-21T09:59:10.000Z"), Some("2026-11-21T10:00:00.000Z")]);
    }
}
