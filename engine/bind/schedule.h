/* schedule (Lua): declarations shared by the files of the Schedule class. */
#ifndef AN_BIND_SCHEDULE_H
#define AN_BIND_SCHEDULE_H

#include "bind/bind.h"
#include "diffusion/schedule.h"

#define AN_SCHEDULE "aniso.Schedule"

an_schedule *an_check_schedule(lua_State *L, int arg);
/* Pushes the readable summary that print(schedule) shows; `arg` is the userdata of s. */
void an_push_schedule_text(lua_State *L, int arg, const an_schedule *s);
/* The methods for rows, bind/process.c; NULL-terminated. */
extern const luaL_Reg an_process_methods[];
/* core.schedule.vote and core.schedule.tilt, bind/process.c. */
int an_schedule_vote(lua_State *L);
int an_schedule_tilt(lua_State *L);

#endif
